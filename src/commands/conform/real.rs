//! The suite against a broker that listens somewhere.

use std::{str::FromStr, sync::Arc, time::SystemTime};

use squall_conformance::{Selected, Settings, Target, TcpTransport, Transport, run};
use squall_proto::Version;
use tokio::sync::Semaphore;

use super::Running;
use crate::exit::Misuse;

/// Where a broker listens: `mqtt://host:port`, or without the scheme, or without the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    host_and_port: String,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => rest,
            Some((scheme, _)) => return Err(format!("only mqtt:// can be tested, not {scheme}://")),
            None => text,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // The last colon of `[::1]` stands within the host.
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| format!("{port:?} is no port"))?)
            }
            Some(_) | None => (rest, 1883_u16),
        };
        if host.is_empty() {
            return Err("write mqtt://HOST:PORT, such as mqtt://127.0.0.1:1883".into());
        }
        Ok(Self {
            host_and_port: format!("{host}:{port}"),
        })
    }
}

impl Address {
    /// As the user may write it.
    pub(super) fn url(&self) -> String {
        format!("mqtt://{}", self.host_and_port)
    }
}

/// What sets this run's names apart from those of others at the same broker: six letters and digits.
pub(super) fn unique() -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let mut rest = since.as_micros() / 1000;
    let mut name = String::new();
    for _ in 0..6 {
        let digit = DIGITS.iter().cycle().nth((rest % 32) as usize);
        name.extend(digit.map(|digit| char::from(*digit)));
        rest /= 32;
    }
    name
}

/// Looks whether the broker is there, and starts the cases.
pub(super) async fn start(
    address: &Address,
    jobs: u16,
    versions: &[Version],
    selected: &[Selected],
    settings: &Settings,
) -> Result<Running, anyhow::Error> {
    let transport: Arc<dyn Transport> = Arc::new(TcpTransport(address.host_and_port.clone()));
    let probed = Target::probe(&transport, versions, &settings.unique, settings.patience).await;
    let target = Arc::new(probed.map_err(|error| {
        Misuse::new(
            format!("nothing answers at {}: {error}", address.url()),
            "start the broker first, and name the host and port it listens on",
        )
    })?);
    let places = Arc::new(Semaphore::new(jobs.into()));
    let mut running = Running::new();
    for selected in selected.iter().copied() {
        let (transport, target, settings, places) = (
            Arc::clone(&transport),
            Arc::clone(&target),
            settings.clone(),
            Arc::clone(&places),
        );
        running.spawn(async move {
            let _place = places.acquire().await;
            (selected, run(selected, &settings, &target, &transport).await)
        });
    }
    Ok(running)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, String> {
        text.parse::<Address>().map(|address| address.url())
    }

    #[test]
    fn scheme_and_port_may_be_left_out() {
        for text in [
            "mqtt://localhost:1883",
            "mqtt://localhost",
            "localhost:1883",
            "localhost",
            "mqtt://localhost/",
        ] {
            assert_eq!(url(text).as_deref(), Ok("mqtt://localhost:1883"), "{text}");
        }
        assert_eq!(url("[::1]").as_deref(), Ok("mqtt://[::1]:1883"));
        assert_eq!(url("[::1]:1900").as_deref(), Ok("mqtt://[::1]:1900"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["wss://localhost", "mqtt://localhost:no", "mqtt://", ":1883"] {
            assert!(url(text).is_err(), "{text}");
        }
    }
}
