//! Values and bytes that are hardly ever right.

use crate::document::Tree;
use crate::random::Random;

/// A value that is hardly ever right.
pub(crate) fn odd_value(random: &mut Random) -> Tree {
    match random.below(12) {
        0..=5 => Tree::Raw(random.word(&[
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "1.5",
            "1e3",
            "60",
            "~",
            "yes",
            "off",
            "0777",
            "0x1F",
            "12h",
            "",
            ".5",
            "1_000",
            "2020-01-01",
            "1:30",
            "[]",
            "{}",
            "[null]",
            "{\"a\": {\"b\": 1}}",
            "01",
            "1e400",
            ".inf",
            ".nan",
            "!!str 1",
            "!!int x",
            "+1",
            "0b11",
            "0o7",
            "190:20:30",
            "=",
            "<<",
            "9223372036854775808",
            "18446744073709551616",
            "-0",
            "1.",
            "&x y",
            "|-\n        text",
            "nUll",
            "NULL",
        ])),
        6 | 7 => Tree::Text(random.word(&[
            "",
            "x",
            "1",
            "true",
            "null",
            "é\"\\",
            "\n",
            "\t",
            " x ",
            "a: b",
            "#",
            "\u{0}",
            "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}",
            "😀",
        ])),
        8 => Tree::List(Vec::new()),
        9 => Tree::Map(Vec::new()),
        10 => Tree::List(vec![odd_value(random), odd_value(random)]),
        _ => Tree::Map(vec![("k".to_owned(), odd_value(random))]),
    }
}

/// The bytes of a file, sometimes wrong as a text.
pub(crate) fn bytes(config: &Tree, random: &mut Random, faulty: bool) -> Vec<u8> {
    let json = random.percent(45);
    let text = if json { config.json(random) } else { config.yaml(random) };
    if !faulty {
        return text.into_bytes();
    }
    match random.below(18) {
        0 => Vec::new(),
        1 => format!("\u{feff}{text}").into_bytes(),
        2 => text.replace('\n', "\r\n").into_bytes(),
        3 => text[..text.floor_char_boundary(random.below(text.len() + 1))].into(),
        4 => format!("---\n{text}").into_bytes(),
        5 => format!("{text}\n---\n{text}").into_bytes(),
        6 => format!("{text}\n---\n{{{{ nonsense").into_bytes(),
        7 => format!("---\n---\n{text}").into_bytes(),
        8 => format!("# comment\n%YAML 1.1\n---\n{text}\n...\n{text}").into_bytes(),
        9 => {
            format!("{text}{}", random.pick(&["x", "}", "\t", " \n", "#x", "\n...\njunk", "null"]))
                .into_bytes()
        }
        10 => format!(
            "{}{text}",
            random.pick(&[" ", "\n", "\t", "#\n", "x", "{", "[", "\u{85}", "\u{0}"])
        )
        .into_bytes(),
        11 => {
            let mut bytes = text.into_bytes();
            let at = random.below(bytes.len() + 1);
            bytes.insert(
                at,
                *random.pick(&[&0xff_u8, &0xc3, &0xed, &0, &0x7f, &0x1b, &b'\t', &b'\n']),
            );
            bytes
        }
        12 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        13 => [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
        14 => {
            let places: Vec<usize> = text
                .match_indices([' ', '\n', ':', '-'])
                .map(|(at, mark)| at + mark.len())
                .collect();
            let mut text = text;
            if !places.is_empty() {
                text.insert_str(
                    places[random.below(places.len())],
                    random.pick(&["\t", "\t#x\n", " \t"]),
                );
            }
            text.into_bytes()
        }
        _ => {
            let mut text = text;
            for _ in 0..random.below(3) + 1 {
                text = random.damage(&text, "{}[]:,\"'\n -&*!|>%@#?<~.0y\\\t\r");
            }
            text.into_bytes()
        }
    }
}
