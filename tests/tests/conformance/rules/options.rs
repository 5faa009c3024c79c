//! Options: what is not known or not valid is an error and never ignored.

use std::time::Duration;

use pullpass_tests::fixtures::checks::CONFIG;
use pullpass_tests::plugin::PluginCommand;

use super::Rule;
use crate::ground::{Ground, Reply};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(help_names_every_common_option),
        Rule::of(version_is_one_line_with_the_plugins_name),
        Rule::of(an_unknown_option_is_an_error),
        Rule::of(an_option_given_twice_or_without_a_value_is_an_error),
        Rule::of(the_value_of_a_wrong_option_is_not_repeated),
        Rule::of(no_value_of_an_option_or_a_variable_is_repeated),
        Rule::of(a_timeout_out_of_bounds_is_an_error),
        Rule::of(a_timeout_ends_the_run),
        Rule::of(a_wrong_log_level_or_format_is_an_error),
        Rule::of(every_log_format_is_taken),
    ]
}

/// Exit code 0, nothing on stderr; no request is needed.
fn prints(plugin: &PluginCommand) -> String {
    let run = plugin.clone().quiet().run(b"");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    String::from_utf8(run.stdout).unwrap()
}

fn help_names_every_common_option(ground: &Ground<'_>) {
    let help = prints(&ground.plugin.clone().arg("--help"));
    for option in ["--timeout", "--log", "--log-format", "--allow-audience", "--help", "--version"]
    {
        assert!(help.contains(option), "`{option}` is not in: {help}");
    }
    assert!(help.contains("PULLPASS_TIMEOUT") && help.contains("Exit codes:"), "{help}");
    assert_eq!(prints(&ground.plugin.clone().arg("-h")), help);
    // On a terminal of the usual width; only what has no place to break may be longer.
    for line in help.lines().filter(|line| line.chars().count() > 80) {
        assert!(
            !line.trim().contains(' '),
            "a line of {} characters: {line}",
            line.chars().count()
        );
    }
}

fn version_is_one_line_with_the_plugins_name(ground: &Ground<'_>) {
    let version = prints(&ground.plugin.clone().arg("--version"));
    let name = ground.plugin.command().get_program().to_str().unwrap().to_owned();
    let (_, name) = name.rsplit_once('/').unwrap();
    assert!(version.starts_with(&format!("{name} ")), "{version}");
    assert_eq!(version.trim_end().lines().count(), 1, "{version}");
    assert_eq!(prints(&ground.plugin.clone().arg("-V")), version);
}

fn an_unknown_option_is_an_error(ground: &Ground<'_>) {
    for option in ["--frobnicate", "--frobnicate=yes", "-x", "--Timeout=3s"] {
        let plugin = ground.plugin.clone().arg(option);
        ground.without_a_connection(|| {
            ground.refuses(&plugin, &ground.request(), CONFIG, "unknown option");
        });
    }
}

fn an_option_given_twice_or_without_a_value_is_an_error(ground: &Ground<'_>) {
    for (args, says) in [
        (&["--timeout=3s", "--timeout=3s"][..], "`--timeout` is given twice"),
        (&["--log", "info", "--log=info"], "`--log` is given twice"),
        (&["--timeout"], "`--timeout` is given without a value"),
        (&["--help=yes"], "a switch was given a value"),
    ] {
        let plugin = args.iter().fold(ground.plugin.clone(), |plugin, arg| plugin.arg(*arg));
        ground.refuses(&plugin, &ground.request(), CONFIG, says);
    }
}

/// It may be a secret in the wrong place.
fn the_value_of_a_wrong_option_is_not_repeated(ground: &Ground<'_>) {
    let secret = "hunter2-the-password";
    for arg in [format!("--frobnicate={secret}"), format!("--help={secret}")] {
        let plugin = ground.plugin.clone().arg(arg).secret("a password", secret);
        ground.refuses(&plugin, &ground.request(), CONFIG, "");
    }
}

/// Of every option and variable in `--help`. Paths of files are repeated.
fn no_value_of_an_option_or_a_variable_is_repeated(ground: &Ground<'_>) {
    let value = "hunter2 Pass/word!";
    let help = prints(&ground.plugin.clone().arg("--help"));
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let is_path = |name: &str| {
        ["FILE", "BUNDLE", "PATH", "HOME", "APPLICATION_CREDENTIALS"]
            .iter()
            .any(|it| name.contains(it))
    };
    let mut plugins = Vec::new();
    for line in help.lines() {
        if let Some(option) = line.trim_start().strip_prefix("--") {
            let (name, rest) = option.split_once([' ', '=']).unwrap_or((option, ""));
            if !is_path(rest.split("  ").next().unwrap_or_default()) {
                let plugin = ground.plugin.clone().quiet().arg(format!("--{name}={value}"));
                plugins.push((name.to_owned(), plugin));
            }
        }
        for word in line.split(|c| !is_name(c)).filter(|it| it.len() > 6 && it.contains('_')) {
            if !is_path(word) {
                plugins.push((word.to_owned(), ground.plugin.clone().quiet().env(word, value)));
            }
        }
    }
    assert!(plugins.len() > 5, "{help}");
    for (name, plugin) in plugins {
        let run = plugin.arg("--timeout=3s").run(ground.request().to_string().as_bytes());
        assert!(!run.stderr.contains("hunter2"), "{name}: {}", run.stderr);
    }
}

fn a_timeout_out_of_bounds_is_an_error(ground: &Ground<'_>) {
    for timeout in ["0s", "-1s", "60s", "2m", "24h", "1", "soon", "1d", "9999999999999h"] {
        let by_option = ground.plugin.clone().arg(format!("--timeout={timeout}"));
        let by_variable = ground.plugin.clone().env("PULLPASS_TIMEOUT", timeout);
        for plugin in [by_option, by_variable] {
            ground.without_a_connection(|| {
                ground.refuses(&plugin, &ground.request(), CONFIG, "`--timeout`");
            });
        }
    }
    ground.run(&ground.plugin.clone().arg("--timeout=59s"), &ground.request()).login();
}

fn a_timeout_ends_the_run(ground: &Ground<'_>) {
    ground.service.answer(Reply::Late(Duration::from_secs(30)));
    let plugin = ground.plugin.clone().arg("--timeout=2s").quiet();
    let run = plugin.run(ground.request().to_string().as_bytes());
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(run.duration < Duration::from_secs(4), "{:?}", run.duration);
}

fn a_wrong_log_level_or_format_is_an_error(ground: &Ground<'_>) {
    for (option, variable) in [("--log", "PULLPASS_LOG"), ("--log-format", "PULLPASS_LOG_FORMAT")] {
        let by_option = ground.plugin.clone().arg(format!("{option}=loud"));
        ground.refuses(&by_option, &ground.request(), CONFIG, &format!("`{option}` (or"));
        let by_variable = ground.plugin.clone().quiet().env(variable, "loud");
        let run = by_variable.run(ground.request().to_string().as_bytes());
        assert_eq!(run.code, Some(CONFIG), "{}", run.stderr);
    }
}

fn every_log_format_is_taken(ground: &Ground<'_>) {
    for format in ["text", "json", "journald"] {
        let plugin = ground.plugin.clone().arg(format!("--log-format={format}"));
        ground.run(&plugin, &ground.request()).login();
    }
    let plugin = ground.plugin.clone().arg("--log=trace").arg("--log-format=json");
    let run = plugin.run(ground.request().to_string().as_bytes());
    assert!(run.stderr.lines().count() > 1, "{}", run.stderr);
    for line in run.stderr.lines() {
        let event = serde_json::from_str::<serde_json::Value>(line);
        assert!(event.is_ok_and(|event| event.is_object()), "no JSON: {line}");
    }
}
