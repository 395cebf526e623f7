use std::{fs, io};

use squall_node::{
    Stream as _,
    client::{AddressConnector, TcpConnector},
    config::{Listener, Secure},
    tls::{ClientCertificates, ClientTls, TlsVersion, Verify},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    certificates::Authority,
    harness::{HOST, Peer, Served, bytes_of, connect, secure, trusting},
};

/// What came of a connection with these options: an error, or whether it is served.
async fn outcome(served: &Served, tls: &ClientTls) -> Result<bool, String> {
    match served.stream(tls).await {
        Ok(stream) => Ok(Peer::new(stream).is_served().await),
        Err(error) => Err(error.to_string()),
    }
}

/// Bytes without TLS; what the broker answers before it closes.
async fn garbage(served: &Served, bytes: &[u8]) -> Vec<u8> {
    let address = served.network();
    let mut tcp = TcpConnector::new(&address.host, address.port);
    let stream = squall_node::Connector::connect(&mut tcp).await.expect("TCP");
    let (mut read, mut write) = stream.split();
    write
        .write_all(bytes)
        .await
        .expect("a socket that takes some bytes");
    let mut answer = Vec::new();
    // A reset is as good an end.
    let _ = read.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_server_that_is_not_to_be_trusted_is_refused_with_the_reason() {
    let [authority, other, late] = [Authority::new(), Authority::new(), Authority::new()];
    for (pair, tls, why) in [
        (authority.server(HOST), trusting(&other), "name its CA"),
        (
            authority.server("elsewhere"),
            trusting(&authority),
            "not valid for name",
        ),
        (late.expired(HOST), trusting(&late), "expired"),
    ] {
        let served = Served::at(&Listener::Tls(secure(pair))).await;
        let error = outcome(&served, &tls).await.expect_err(why);
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn without_verification_of_the_name_the_rest_is_still_verified() {
    let (authority, other) = (Authority::new(), Authority::new());
    let served = Served::at(&Listener::Tls(secure(authority.server("elsewhere")))).await;
    let any_name = |authority| ClientTls {
        verify: Verify::AnyName,
        ..trusting(authority)
    };
    assert_eq!(outcome(&served, &any_name(&authority)).await, Ok(true));
    assert!(outcome(&served, &any_name(&other)).await.is_err());
}

#[tokio::test]
async fn another_server_name_can_be_asked_for() {
    let authority = Authority::new();
    let served = Served::at(&Listener::Tls(secure(authority.server("elsewhere")))).await;
    let tls = ClientTls {
        server_name: Some("elsewhere".into()),
        ..trusting(&authority)
    };
    assert_eq!(outcome(&served, &tls).await, Ok(true));
}

#[tokio::test]
async fn a_client_must_or_may_show_a_certificate_of_the_right_authority() {
    let (authority, other) = (Authority::new(), Authority::new());
    let plain = trusting(&authority);
    let with = |pair| ClientTls {
        certificate: Some(pair),
        ..plain.clone()
    };
    let (right, wrong) = (with(authority.client("device")), with(other.client("device")));
    for (asked, without) in [
        (ClientCertificates::Required, Ok(false)),
        (ClientCertificates::Optional, Ok(true)),
    ] {
        let served = Served::at(&Listener::Tls(Secure {
            client_ca: Some(authority.file()),
            client_certificates: Some(asked),
            ..secure(authority.server(HOST))
        }))
        .await;
        assert_eq!(outcome(&served, &plain).await, without, "{asked:?}");
        assert_eq!(outcome(&served, &wrong).await, Ok(false), "{asked:?}");
        assert_eq!(outcome(&served, &right).await, Ok(true), "{asked:?}");
    }
}

#[tokio::test]
async fn alpn_is_mqtt_and_may_be_left_out() {
    let authority = Authority::new();
    let served = Served::at(&Listener::Tls(secure(authority.server(HOST)))).await;
    let offering = |names: &[&str]| ClientTls {
        alpn: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..trusting(&authority)
    };
    assert_eq!(outcome(&served, &offering(&["mqtt"])).await, Ok(true));
    assert_eq!(outcome(&served, &offering(&[])).await, Ok(true));
    assert!(outcome(&served, &offering(&["h2"])).await.is_err());
}

#[tokio::test]
async fn nothing_older_than_the_minimum_version_is_spoken() {
    let authority = Authority::new();
    let served = Served::at(&Listener::Tls(Secure {
        minimum_version: TlsVersion::Tls13,
        ..secure(authority.server(HOST))
    }))
    .await;
    // The handshake type and length, then the version of the ClientHello: 1.2, and no extension that knows another.
    let mut hello = vec![0x16, 0x03, 0x01, 0x00, 0x2F, 0x01, 0x00, 0x00, 0x2B, 0x03, 0x03];
    hello.extend([7; 32]);
    hello.extend([0x00, 0x00, 0x02, 0xC0, 0x2F, 0x01, 0x00, 0x00, 0x00]);

    let answer = garbage(&served, &hello).await;

    // A fatal alert.
    assert_eq!(answer.first(), Some(&0x15), "{answer:x?}");
    assert_eq!(outcome(&served, &trusting(&authority)).await, Ok(true));
}

#[tokio::test]
async fn what_is_no_tls_ends_its_connection_and_no_other() {
    let authority = Authority::new();
    let served = Served::at(&Listener::Tls(secure(authority.server(HOST)))).await;
    let mut other = served.peer(&trusting(&authority)).await;
    assert!(other.is_served().await);

    for bytes in [
        bytes_of(&connect("plain")).as_ref(),
        b"GET /mqtt HTTP/1.1\r\n\r\n",
        &[0xFF; 300],
    ] {
        let answer = garbage(&served, bytes).await;
        assert!(
            matches!(answer.as_slice(), [] | [0x15, ..]),
            "no more than an alert: {answer:x?}"
        );
    }

    other.send(&squall_proto::Packet::Pingreq).await.expect("open");
    assert!(matches!(
        other.next().await,
        Ok(Some(squall_proto::Packet::Pingresp))
    ));
}

#[tokio::test]
async fn tls_to_a_plain_port_is_named() {
    let authority = Authority::new();
    let served = Served::at(&Listener::tcp("localhost:0")).await;
    let mut address = served.network().clone();
    address.scheme = squall_node::Scheme::Mqtts;
    let address = squall_node::Address::Network(address);
    let mut connector = AddressConnector::new(&address, &trusting(&authority), [0; 32]).expect("right files");

    let error = squall_node::Connector::connect(&mut connector)
        .await
        .expect_err("no TLS there");

    assert!(error.to_string().contains("TLS"), "{error}");
    assert_ne!(error.kind(), io::ErrorKind::Other);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_who_comes_after_it() {
    let authority = Authority::new();
    let pair = authority.expired(HOST);
    let served = Served::at(&Listener::Tls(secure(pair))).await;
    let tls = trusting(&authority);
    assert!(outcome(&served, &tls).await.is_err());

    authority.server(HOST);
    served
        .reload
        .as_ref()
        .expect("it has files")
        .reload()
        .expect("right files");

    assert_eq!(outcome(&served, &tls).await, Ok(true));
}

#[tokio::test]
async fn a_broken_renewal_leaves_everything_as_it_was() {
    let authority = Authority::new();
    let (certificate, key) = authority.server(HOST);
    let served = Served::at(&Listener::Tls(secure((certificate.clone(), key)))).await;
    fs::write(&certificate, "half a certif").expect("a file");

    let error = served
        .reload
        .as_ref()
        .expect("it has files")
        .reload()
        .expect_err("broken");

    assert!(
        error.to_string().contains("there is no certificate in it"),
        "{error}"
    );
    assert_eq!(outcome(&served, &trusting(&authority)).await, Ok(true));
}

#[tokio::test]
async fn a_file_that_is_not_right_is_named_with_its_mend() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.server(HOST);
    let encrypted = certificate.with_file_name("encrypted.pem");
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(&encrypted, pem).expect("a file");
    for (pair, problem, mend) in [
        (
            (certificate.with_file_name("none"), key.clone()),
            "No such file",
            "a file that is there",
        ),
        (
            (key.clone(), key),
            "there is no certificate in it",
            "BEGIN CERTIFICATE",
        ),
        (
            (certificate.clone(), certificate.clone()),
            "there is no private key in it",
            "BEGIN PRIVATE KEY",
        ),
        ((certificate.clone(), encrypted), "is encrypted", "openssl pkcs8"),
        (
            (certificate.clone(), other.server(HOST).1),
            "key",
            "belongs to the certificate",
        ),
    ] {
        let error = Listener::Tls(secure(pair.clone())).check().expect_err(problem);
        let said = error.to_string();
        assert!(
            said.contains(problem) && said.contains(".pem") | said.contains("none"),
            "{said}"
        );
        assert!(error.mend().contains(mend), "{said}: {}", error.mend());
    }
}
