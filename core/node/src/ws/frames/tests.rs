use tungstenite::protocol::frame::coding::Control;

use super::{Broken, Frames, Piece, mix};
use crate::ws::Role;

/// Payload, and what control frames said.
type Apart = (Vec<u8>, Vec<(Control, Vec<u8>)>);

/// What a server makes of these bytes when they come `step` at a time.
fn taken_apart(bytes: &[u8], step: usize) -> Result<Apart, Broken> {
    let mut frames = Frames::new(Role::Server);
    let (mut payload, mut controls) = (Vec::new(), Vec::new());
    for chunk in bytes.chunks(step) {
        let mut chunk = chunk.to_vec();
        let mut at = 0;
        while at < chunk.len() {
            at += match frames.next(&mut chunk[at..])? {
                Piece::Framing(len) => len,
                Piece::Payload(len) => {
                    payload.extend_from_slice(&chunk[at..at + len]);
                    len
                }
                Piece::Control(len, kind, said) => {
                    controls.push((kind, said));
                    len
                }
            };
        }
    }
    Ok((payload, controls))
}

/// A frame as a client sends it: the first byte and the payload, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xFA, 0x21, 0x3D];
    let len = u16::try_from(payload.len()).expect("a short payload");
    let mut bytes = match u8::try_from(len) {
        Ok(len) if len < 126 => vec![first, 0x80 | len],
        Ok(_) | Err(_) => [[first, 0xFE], len.to_be_bytes()].concat(),
    };
    bytes.extend(key);
    let masked = bytes.len();
    bytes.extend_from_slice(payload);
    for (byte, key) in bytes[masked..].iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    bytes
}

#[test]
fn the_borders_of_reads_and_frames_are_nothing_to_the_payload() {
    let long = vec![3; 300];
    let bytes = [
        frame(0x82, b"abc"),
        frame(0x82, b""),
        frame(0x02, b"de"),
        frame(0x89, b"ping"),
        frame(0x00, &long),
        frame(0x80, b"f"),
        frame(0x8A, b""),
        frame(0x82, b"g"),
    ]
    .concat();
    let payload = [b"abcde".as_slice(), &long, b"fg"].concat();
    let controls = vec![(Control::Ping, b"ping".to_vec()), (Control::Pong, Vec::new())];
    for step in 1..=bytes.len() {
        assert_eq!(
            taken_apart(&bytes, step),
            Ok((payload.clone(), controls.clone())),
            "{step}"
        );
    }
}

/// RFC 6455, 5.7: "Hello", masked.
#[test]
fn a_masked_frame_of_the_rfc_is_read() {
    let bytes = [0x82, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    assert_eq!(taken_apart(&bytes, 4), Ok((b"Hello".to_vec(), Vec::new())));
}

#[test]
fn what_breaks_a_rule_is_named() {
    for (bytes, broken) in [
        (frame(0x81, b"a"), Broken::Text),
        (frame(0xC2, b"a"), Broken::Reserved),
        (frame(0x83, b"a"), Broken::Header),
        (frame(0x8B, b"a"), Broken::Header),
        (frame(0x80, b"a"), Broken::Continuation),
        (
            [frame(0x02, b"a"), frame(0x82, b"a")].concat(),
            Broken::Continuation,
        ),
        (frame(0x09, b"a"), Broken::Control),
        (frame(0x89, &[0; 126]), Broken::Control),
        (vec![0x82, 0x01, b'a'], Broken::Mask),
    ] {
        for step in 1..=bytes.len() {
            assert_eq!(taken_apart(&bytes, step), Err(broken), "{bytes:x?} by {step}");
        }
    }
}

#[test]
fn a_frame_of_a_server_must_not_be_masked() {
    let mut frames = Frames::new(Role::Client);
    assert_eq!(frames.next(&mut [0x82, 0x01, b'a']), Ok(Piece::Framing(2)));
    assert_eq!(frames.next(&mut [b'a']), Ok(Piece::Payload(1)));
    assert_eq!(frames.next(&mut frame(0x82, b"a")), Err(Broken::Mask));
}

#[test]
fn mixing_twice_at_any_place_changes_nothing() {
    for at in 0..8 {
        for len in 0..20 {
            let plain: Vec<u8> = (0..len).collect();
            let mut mixed = plain.clone();
            mix([1, 2, 3, 4], at, &mut mixed);
            let by_hand: Vec<u8> = plain
                .iter()
                .zip(at..)
                .map(|(byte, at)| byte ^ [1, 2, 3, 4][at % 4])
                .collect();
            assert_eq!(mixed, by_hand);
            mix([1, 2, 3, 4], at, &mut mixed);
            assert_eq!(mixed, plain);
        }
    }
}
