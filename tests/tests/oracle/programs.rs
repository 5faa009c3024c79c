//! The plugins of a look-up: one script under several names, which notes all that it
//! is given and then does what a file tells it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pullpass_kubelet::KubeletVersion;
use pullpass_kubelet::exec::{AuthConfig, AuthConfigs};
use serde_json::{Value, json};

use crate::configs::PROGRAMS;
use crate::names::has_keys_filed_alike;
use crate::random::Random;

const SCRIPT: &str = r#"#!/bin/sh
state=${0%/*}/../state/${0##*/}
IFS= read -r line
printf '%s\n' "$line" "$0" "$#" "$@" "OUTER=$OUTER" "INNER=$INNER" "A=$A" "PATH2=$PATH2" >>"$state.seen"
. "$state.do"
"#;

/// The bin dir and what its programs do at present.
pub(crate) struct Programs {
    folder: PathBuf,
    answers: BTreeMap<String, String>,
}

impl Programs {
    /// Makes the folder on first use, else cleans it.
    pub(crate) fn fresh(folder: &Path) -> Self {
        let folder = folder.join("lookup");
        let programs = Self { folder, answers: BTreeMap::new() };
        if !programs.folder.exists() {
            fs::create_dir_all(programs.bin_dir()).unwrap();
            for (name, text, mode) in [
                ("script", SCRIPT, 0o755),
                ("no-shebang", "echo hello\n", 0o755),
                ("no-interpreter", "#!/nowhere/sh\n", 0o755),
                ("no-mode", SCRIPT, 0o644),
            ] {
                let file = programs.folder.join(name);
                fs::write(&file, text).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        let state = programs.folder.join("state");
        let _ = fs::remove_dir_all(&state);
        fs::create_dir(&state).unwrap();
        for name in PROGRAMS {
            programs.place(name, "script");
        }
        programs
    }

    pub(crate) fn bin_dir(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Tells one program what to do from now on, and says what that is.
    pub(crate) fn program(&mut self, name: &str, stdout: &str, random: &mut Random) -> Value {
        fs::write(self.state(name, "answer"), stdout).unwrap();
        self.answers.insert(name.to_owned(), stdout.to_owned());
        let answer = "exec cat \"$state.answer\"";
        let (file, script) = match random.below(60) {
            0 => ("script", "cat \"$state.answer\"; exit 1".to_owned()),
            1 => ("script", "echo 'oops \"quoted\" \\ é' >&2; exit 3".to_owned()),
            2 => ("script", "printf 'one\\ntwo\\n\\tthree' >&2; exit 255".to_owned()),
            3 => ("script", "printf 'no newline' >&2; exit 1".to_owned()),
            4 => {
                let signal = random.pick(&["KILL", "TERM", "HUP", "USR1", "PIPE", "ALRM", "INT"]);
                ("script", format!("kill -{signal} $$"))
            }
            5 => ("script", format!("echo unseen >&2; {answer}")),
            6 => ("absent", answer.to_owned()),
            7 => ("no-shebang", answer.to_owned()),
            8 => ("no-interpreter", answer.to_owned()),
            9 => ("no-mode", answer.to_owned()),
            10 => ("script", "printf '\\377\\t\\001' >&2; exit 1".to_owned()),
            11 => ("script", "exit 0".to_owned()),
            _ => ("script", answer.to_owned()),
        };
        self.place(name, file);
        fs::write(self.state(name, "do"), format!("{script}\n")).unwrap();
        json!({"program": name, "is": file, "does": script, "answer": stdout})
    }

    /// What every program was given since the last time.
    pub(crate) fn take_seen(&self) -> Value {
        let mut all = serde_json::Map::new();
        for name in PROGRAMS {
            let file = self.state(name, "seen");
            if let Ok(bytes) = fs::read(&file) {
                all.insert(name.to_owned(), json!(String::from_utf8_lossy(&bytes)));
                fs::remove_file(&file).unwrap();
            }
        }
        Value::Object(all)
    }

    /// Whether some answer has two keys that are one to the kubelet.
    pub(crate) fn have_keys_filed_alike(&self, version: KubeletVersion) -> bool {
        self.answers.values().any(|text| {
            let Ok(answer) = serde_json::from_str::<Value>(text) else { return false };
            let Some(keys) = answer["auth"].as_object() else { return false };
            let login = || AuthConfig { username: String::new(), password: String::new().into() };
            let auth: AuthConfigs = keys.keys().map(|key| (key.clone(), login())).collect();
            has_keys_filed_alike(&auth, version)
        })
    }

    fn place(&self, name: &str, file: &str) {
        let link = self.bin_dir().join(name);
        let _ = fs::remove_file(&link);
        symlink(Path::new("..").join(file), link).unwrap();
    }

    fn state(&self, name: &str, what: &str) -> PathBuf {
        self.folder.join("state").join(format!("{name}.{what}"))
    }
}
