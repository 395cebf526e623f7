use std::{path::PathBuf, sync::Arc};

use squall_sim::scenario::Scenario;

use crate::exit::Misuse;

/// Those whose variant has every part of what is wanted: `delay=5s,reconnect=never`.
pub(crate) fn chosen(
    scenarios: Vec<(PathBuf, Arc<Scenario>)>,
    wanted: &str,
) -> Result<Vec<(PathBuf, Arc<Scenario>)>, Misuse> {
    let names: Vec<String> = scenarios.iter().map(|(_, one)| one.variant.clone()).collect();
    let is_meant = |one: &Arc<Scenario>| parts(wanted).all(|part| parts(&one.variant).any(|of| of == part));
    let chosen: Vec<_> = scenarios.into_iter().filter(|(_, one)| is_meant(one)).collect();
    if chosen.is_empty() {
        let known: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty())
            .take(8)
            .collect();
        let mend = match known.is_empty() {
            true => "leave `--variant` out: there is one of each alone".to_owned(),
            false => format!("there are {}", known.join("; ")),
        };
        return Err(Misuse::new(format!("no variant is called `{wanted}`"), mend));
    }
    Ok(chosen)
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(',').map(str::trim).filter(|part| !part.is_empty())
}
