//! The few registries, images and names that all cases share, so that patterns and
//! images meet.

use crate::random::Random;

const HOSTS: [&str; 14] = [
    "r.io",
    "a.r.io",
    "b.r.io",
    "a.b.r.io",
    "r.io:80",
    "r.io:5000",
    "localhost",
    "localhost:80",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "global",
    "[::1]:80",
    "R.io",
];

const PATHS: [&str; 9] =
    ["/app", "/app/x", "/application", "/team/app", "/team", "/library/nginx", "/x/y/z", "/", ""];

const SHORT: [&str; 8] =
    ["nginx", "user/app", "library/nginx", "a", "0123", "docker.io/nginx", "a/b/c", "team/app"];

const GLOBS: [&str; 17] = [
    "*.r.io",
    "*.*.io",
    "*.io",
    "r.*",
    "*",
    "a*.r.io",
    "*b.r.io",
    "*.*.r.io",
    "*:80",
    "r.io:*",
    "r.io/*",
    "docker.io/*",
    "*.docker.io",
    "r.io/app/*",
    "*.*",
    "**.io",
    "a.*.*",
];

/// What Go's URL parser or the glob may stumble over.
const ODD: [&str; 44] = [
    "%invalid%",
    "r.io:80:80",
    "r.io:port",
    "reg[0-9].io",
    "[a-z].io",
    "https://r.io",
    "http://r.io/app",
    "r.io/%zz",
    "r.io/%41pp",
    "%41.io",
    "r.io/a%20b",
    "u@r.io",
    "u:p@r.io/app",
    "r.io?x=1",
    "r.io#f",
    "r.io#%z",
    "r .io",
    "r.io/a b",
    "r\\.io",
    "r.io\\x",
    "a^b",
    "r.io:",
    ":80",
    "",
    " ",
    "/",
    "/app",
    "[::1]",
    "[::1]:80",
    "[::1",
    "[1.2.3.4]",
    "[fe80::1%25eth0]:80",
    "::1",
    "é.io",
    "r.io/é",
    "r.io\t",
    "r.io.",
    ".r.io",
    "r..io",
    "r.io/app:1",
    "r.io/app@sha256:0",
    "\u{7f}",
    "r?o",
    "<r>.\"io\"",
];

const MARKS: &str = "*.:/[]%@#?\\- A0é\t\"<^|`{}";

/// A pattern: mostly one that the kubelet takes.
pub(crate) fn pattern(random: &mut Random) -> String {
    match random.below(20) {
        0..=7 => good_pattern(random),
        8..=12 => random.word(&GLOBS),
        13..=16 => random.word(&ODD),
        _ => {
            let pattern = good_pattern(random);
            random.damage(&pattern, MARKS)
        }
    }
}

/// A pattern that the kubelet of every version takes and that often covers something.
pub(crate) fn good_pattern(random: &mut Random) -> String {
    if random.percent(30) {
        return random.word(&GLOBS[..9]);
    }
    let host = random.word(&HOSTS[..12]);
    if random.percent(50) { host } else { host + random.pick(&PATHS) }
}

/// A string that is compared with patterns.
pub(crate) fn compared(random: &mut Random) -> String {
    match random.below(20) {
        0..=14 => random.word(&HOSTS) + random.pick(&PATHS),
        15 | 16 => random.word(&SHORT),
        17 => random.word(&ODD),
        _ => {
            let image = random.word(&HOSTS) + random.pick(&PATHS);
            random.damage(&image, MARKS)
        }
    }
}

/// An image as a pod names it: registry, repository, tag and digest, right or not.
pub(crate) fn pod_image(random: &mut Random) -> String {
    let mut image = match random.below(10) {
        0..=4 => random.word(&HOSTS) + random.pick(&PATHS[..7]),
        5..=7 => random.word(&SHORT),
        8 => random.word(&[
            "a__b/c",
            "a___b",
            "a.b/c..d",
            "a-/b",
            "-a",
            "a--b/c",
            "a_/b",
            "UPPER",
            "r.io/Upper",
            "r.io//x",
            "/x",
            "r.io/x/",
            "é/x",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
            "",
            ":",
            "@",
            "a:b:c",
            "localhost/x",
            "LOCALHOST/x",
            "r.io:x/y",
            "r.io:/y",
            "a.b",
            "a:5000/x",
            "[::1]/x",
            "r_o.io/x",
            "-r.io/x",
            "r.io-/x",
            "r.io./x",
            "index.docker.io/index.docker.io/x",
            "docker.io",
            "docker.io/a:b",
        ]),
        _ if random.percent(10) => "x/".repeat(random.below(130) + 1) + "y",
        _ => random.word(&HOSTS) + &"/p".repeat(random.below(5) + 1),
    };
    if random.percent(50) {
        image +=
            random.pick(&[":1", ":latest", ":v1.2-3_4", ":", ":-x", ":.x", ":UPPER", ":é", ": "]);
    }
    if random.percent(25) {
        let digits = "0123456789abcdef".repeat(8);
        image += &match random.below(10) {
            0..=3 => format!("@sha256:{}", &digits[..64]),
            4 => format!("@sha512:{digits}"),
            5 => format!("@sha256:{}", &digits[..40]),
            6 => format!("@md5:{}", &digits[..32]),
            7 => format!("@sha256:{}", digits[..64].to_uppercase()),
            8 => format!("@sha384+x:{}", &digits[..96]),
            _ => "@".to_owned(),
        };
    }
    if random.percent(8) { random.damage(&image, ":/@.-_A é") } else { image }
}

/// An image for a look-up.
pub(crate) fn covered_image(random: &mut Random) -> String {
    match random.below(10) {
        0 => random.word(&SHORT),
        1 => pod_image(random),
        _ => {
            let tag = random.word(&["", ":1", ":2"]);
            random.word(&HOSTS[..12]) + random.pick(&PATHS[..7]) + &tag
        }
    }
}

/// A key of `auth`.
pub(crate) fn auth_key(random: &mut Random) -> String {
    match random.below(12) {
        0..=4 => good_pattern(random),
        5 => random.word(&GLOBS),
        6 => random.word(&ODD),
        7 => random.word(&[
            "https://index.docker.io/v1/",
            "index.docker.io",
            "docker.io",
            "index.docker.io/v1/",
        ]),
        8 => {
            format!("{}{}", random.pick(&["https://", "http://", "HTTPS://"]), good_pattern(random))
        }
        9 => format!(
            "{}{}{}",
            random.pick(&HOSTS),
            random.pick(&["/v1/", "/v2/", "/v1", "/v3/"]),
            random.pick(&["", "app", "team/app"])
        ),
        10 => {
            let key = good_pattern(random);
            random.damage(&key, MARKS)
        }
        _ => random.word(&HOSTS) + random.pick(&PATHS),
    }
}
