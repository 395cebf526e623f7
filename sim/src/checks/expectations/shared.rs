use super::{
    history::{History, Published},
    judge::count,
};
use crate::{
    checks::{Found, Now, shown},
    scenario,
};

/// Each message reached the members, all together, as often as it must; and each member got enough of them.
pub(super) fn shared(it: &scenario::Shared, history: &History, now: &Now<'_>) -> Vec<Found> {
    let scenario = now.model.scenario;
    let publishers = scenario.members(&it.of);
    let members: Vec<String> = it.among.iter().flat_map(|name| scenario.members(name)).collect();
    let of = history
        .published
        .iter()
        .filter(|message| publishers.contains(&message.by));
    let messages: Vec<&Published> = of.collect();
    if messages.is_empty() {
        let expected = format!("`{}` to publish what is shared", it.of);
        return vec![now.found([], expected, "it published nothing")];
    }
    let wrong = messages
        .iter()
        .find_map(|message| wrong_times(it, &members, message, history, now));
    let too_few = members
        .iter()
        .filter_map(|member| too_few(it, member, &messages, history, now));
    wrong.into_iter().chain(too_few).collect()
}

fn wrong_times(
    it: &scenario::Shared,
    members: &[String],
    message: &Published,
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let received = members
        .iter()
        .flat_map(|member| history.received(member, &message.payload));
    let events: Vec<usize> = received.map(|received| received.index).collect();
    let times = events.len();
    let (how, asked, is_right) = match (it.exactly, it.at_least, it.at_most) {
        (Some(exactly), _, _) => ("exactly", exactly, times == count(exactly)),
        (None, Some(least), _) => ("at least", least, times >= count(least)),
        (None, None, Some(most)) => ("at most", most, times <= count(most)),
        (None, None, None) => return None,
    };
    let expected = format!(
        "{} to reach {how} {} of {}",
        shown(&message.payload),
        count(asked),
        it.among.join(", ")
    );
    let since = [&[message.index], events.as_slice()].concat();
    (!is_right).then(|| now.found(since, expected, format!("it came {times} times")))
}

fn too_few(
    it: &scenario::Shared,
    member: &str,
    messages: &[&Published],
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let is_there = |message: &&&Published| !history.received(member, &message.payload).is_empty();
    let got = messages.iter().filter(is_there).count();
    let expected = format!("`{member}` to get at least {} of them", it.each);
    (got < it.each as usize).then(|| now.found([], expected, format!("{got}")))
}
