//! The HTML report in headless Chromium: what only a browser can say of it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use squall_reports::Format;

use crate::sample::report;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// None, with a line that says so, where the machine has no Chromium.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|directory| NAMES.map(|name| directory.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no chromium on the PATH; `apt-get install chromium` provides one");
    }
    found
}

/// Opens the sample report with this behind the `#` of its address, runs `probe` in it, and gives what that left in the page's
/// title. A console error fails the test. None where there is no Chromium.
fn opened(hash: &str, probe: &str) -> Option<String> {
    let chromium = chromium()?;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.html");
    let html = Format::Html.render(&report()).unwrap();
    let probe = format!("<script>addEventListener('load', () => {{ document.title = {probe}; }});</script>");
    fs::write(&file, html.replace("</body>", &format!("{probe}</body>"))).unwrap();
    let mut profile = OsStr::new("--user-data-dir=").to_owned();
    profile.push(directory.path().join("profile"));
    let output = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            "--dump-dom",
        ])
        .arg(profile)
        .arg(format!("file://{}#{hash}", file.display()))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    let console: Vec<_> = log.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    let page = String::from_utf8_lossy(&output.stdout);
    let title = page
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    Some(
        title
            .unwrap_or_else(|| panic!("no page came: {log}"))
            .0
            .to_owned(),
    )
}

/// What is visible: results, rows of the matrix, and what the count says.
const VISIBLE: &str = "[
    [...document.querySelectorAll('article')].filter((one) => one.checkVisibility()).length,
    [...document.querySelectorAll('.matrix tbody tr')].filter((one) => one.checkVisibility()).length,
    document.getElementById('count').textContent].join('; ')";

#[test]
fn a_report_opens_without_a_console_error_and_shows_everything() {
    if let Some(title) = opened("", VISIBLE) {
        assert_eq!(title, "9; 9; 9 of 9 results shown");
    }
}

#[test]
fn a_filter_in_the_address_hides_rows_and_results() {
    if let Some(title) = opened("?verdict=fail&text=retained", VISIBLE) {
        assert_eq!(title, "1; 2; 1 of 9 results shown");
    }
}

#[test]
fn a_filter_that_is_clicked_hides_results_and_stands_in_the_address() {
    let probe = format!(
        "(document.querySelector('[name=verdict][value=pass]').click(), {VISIBLE} + '; ' + location.hash)"
    );
    if let Some(title) = opened("", &probe) {
        assert!(title.starts_with("7; "), "{title}");
        assert!(
            title.ends_with("; 7 of 9 results shown; #?verdict=fail%2Cinconclusive%2Cdeviation%2Cknown%2Cchoice%2Cunsupported"),
            "{title}"
        );
    }
}

#[test]
fn a_link_to_a_result_shows_it_whatever_the_filters_say() {
    let probe = "(document.querySelector('[name=verdict][value=fail]').click(), location.hash = '#r3', \
         dispatchEvent(new HashChangeEvent('hashchange')), \
         document.getElementById('r3').checkVisibility() + '; ' + document.getElementById('r5').checkVisibility())";
    if let Some(title) = opened("", probe) {
        assert_eq!(title, "true; false");
    }
}

/// Every text of the picture has a size and lies inside of it, and every arrow goes from one place to another.
#[test]
fn the_picture_of_a_failure_shows_its_packets() {
    let probe = "(() => {
        const svg = document.querySelector('#r3 figure svg');
        const [whole, boxes] = [svg.getBoundingClientRect(), [...svg.querySelectorAll('text')].map((text) => text.getBoundingClientRect())];
        const inside = boxes.every((box) => box.width > 0 && box.left >= whole.left && box.right <= whole.right && box.bottom <= whole.bottom);
        const arrows = [...svg.querySelectorAll('.sent')].filter((line) => line.getTotalLength() > 50).length;
        const labels = [...svg.querySelectorAll('.label')].map((label) => label.textContent.trim());
        return [inside, arrows, ...labels].join(' / ');
    })()";
    if let Some(title) = opened("", probe) {
        assert_eq!(
            title,
            "true / 4 / CONNECT client \"pub\" clean start / CONNACK Success / PUBLISH q1 id 1 retain \"t/1\" 5 bytes / \
             partition subscriber &lt;-&gt; broker / a packet between two that are no broker"
        );
    }
}
