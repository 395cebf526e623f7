use squall_reports::{Format, Group, Mark, PacketLine, Report, TestResult, Verdict, merge};

use crate::sample::{group, packet, report, report_of, result};

fn html(report: &Report) -> String {
    Format::Html.render(report).unwrap()
}

/// What a person sees, without the style sheet and the script.
fn body(report: &Report) -> String {
    let html = html(report);
    let (_, body) = html.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    body.replace("><", ">\n<")
}

fn failure(name: &str, packets: Vec<PacketLine>) -> TestResult {
    TestResult {
        packets,
        ..result(
            name,
            Verdict::Fail {
                expected: vec!["PINGRESP".to_owned()],
                got: "nothing".to_owned(),
            },
        )
    }
}

#[test]
fn the_document_is_what_a_browser_opens() {
    insta::assert_snapshot!(body(&report()));
}

#[test]
fn every_result_has_an_article_and_a_link_to_it() {
    let (report, html) = (report(), html(&report()));
    assert_eq!(html.matches("<article ").count(), report.results().count());
    for number in 1..=report.results().count() {
        assert!(html.contains(&format!("id=\"r{number}\"")), "{number}");
        assert!(html.contains(&format!("href=\"#r{number}\" data-k=")), "{number}");
    }
}

#[test]
fn what_a_peer_chose_is_neither_markup_nor_a_control_character() {
    let name = "\"><script>alert(1)</script><!-- \u{202e}\u{1b}[2J' onload='x";
    let hostile = Report {
        target: name.to_owned(),
        producer: name.to_owned(),
        groups: vec![Group {
            target: Some(name.to_owned()),
            ..group(
                name,
                vec![TestResult {
                    mqtt: name.to_owned(),
                    repeat: Some(name.to_owned()),
                    ..failure(name, vec![packet(0, name, "broker", name)])
                }],
            )
        }],
        ..report()
    };
    let html = html(&hostile);
    assert_eq!(html.matches("<script>").count(), 1);
    assert_eq!(html.matches("</script>").count(), 1);
    assert!(!html.contains("<!--"));
    assert!(
        html.chars()
            .all(|character| character == '\n' || !character.is_control() && character != '\u{202e}')
    );
    // Every quote that a peer sent is a character of its text: what stands before `alert` is never an open tag.
    assert!(html.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn targets_stand_side_by_side_and_a_row_says_whether_they_differ() {
    let of = |target: &str, verdict: Verdict| {
        report_of(
            target,
            vec![group(
                "a scenario",
                vec![result("5.0 seed 0", Verdict::Pass), result("5.0 seed 1", verdict)],
            )],
        )
    };
    let failed = failure("5.0 seed 1", Vec::new()).verdict;
    let pair = merge(vec![of("one", Verdict::Pass), of("two", failed)]).unwrap();
    let html = body(&pair);
    assert!(html.contains("<tr data-differs=\"5.0\">"), "{html}");
    assert!(html.contains("<span class=\"target\">one</span>"), "{html}");
    assert!(html.contains("<span class=\"target\">two</span>"), "{html}");
    let same = merge(vec![of("one", Verdict::Pass), of("two", Verdict::Pass)]).unwrap();
    assert!(!body(&same).contains("data-differs"));
}

#[test]
fn a_packet_that_arrives_is_one_arrow_and_a_fault_a_band() {
    let marked = |mark: Mark, packet: PacketLine| PacketLine {
        mark: Some(mark),
        ..packet
    };
    let packets = vec![
        marked(Mark::Opened, packet(0, "a", "broker", "opens a connection")),
        packet(1_000, "a", "broker", "PINGREQ"),
        marked(
            Mark::FaultBegan(2),
            packet(1_500, "", "", "fault: partition a <-> broker"),
        ),
        marked(Mark::Opened, packet(2_000, "a", "broker", "opens a connection")),
        packet(2_500, "a", "broker", "PINGREQ"),
        marked(
            Mark::Arrival,
            packet(2_900, "a", "broker", "PINGREQ arrives  <--"),
        ),
        marked(
            Mark::FaultEnded(2),
            packet(3_000, "", "", "fault of step 3 is over; it touched 1"),
        ),
        packet(3_100, "a", "application", "is connected"),
    ];
    let report = report_of("it", vec![group("g", vec![failure("5.0 seed 0", packets)])]);
    let html = body(&report);
    let picture = html
        .split_once("<svg role")
        .unwrap()
        .1
        .split_once("</svg>")
        .unwrap()
        .0;
    insta::assert_snapshot!(picture);
}

#[test]
fn a_thousand_results_stay_below_three_megabytes() {
    let packets: Vec<_> = (0..30)
        .map(|nth| {
            packet(
                nth,
                "a",
                "broker",
                "PUBLISH q1 id 7 \"squall/000000021/t\" \"a payload\"",
            )
        })
        .collect();
    let results = (0..1_000).map(|nth| {
        let name = format!("a_case_with_a_name_of_some_length_{nth} 5.0");
        if nth % 20 == 0 {
            failure(&name, packets.clone())
        } else {
            result(&name, Verdict::Pass)
        }
    });
    let report = report_of("it", vec![group("3.3 PUBLISH", results.collect())]);
    assert!(html(&report).len() < 3_000_000, "{}", html(&report).len());
}
