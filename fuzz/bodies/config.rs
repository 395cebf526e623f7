//! The broker's configuration, from any text.

use squall_node::config::Config;

/// Text is a configuration, or an error that says where in the text.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Err(error) = Config::parse("squall.toml", text) else {
        return;
    };
    let shown = error.to_string();
    let place = shown
        .strip_prefix("squall.toml:")
        .expect("an error names the file");
    let mut numbers = place.splitn(3, ':').map(str::parse::<usize>);
    let (Some(Ok(line)), Some(Ok(column))) = (numbers.next(), numbers.next()) else {
        panic!("no place: {shown}");
    };
    super::place::assert_inside(text, line, column);
}
