//! What a plugin says about itself: `--help`, `--version`, and the text for a
//! person who starts it by hand.

use std::fmt::Write as _;

use crate::command::Command;
use crate::error::ErrorKind;
use crate::options::{COMMON, OptionSpec};
use crate::provider::Plugin;

/// `NAME VERSION` and a newline.
pub(crate) fn version(plugin: &Plugin) -> String {
    format!("{} {}\n", plugin.name, plugin.version)
}

/// The whole of `--help`.
pub(crate) fn help(plugin: &Plugin) -> String {
    let mut text = format!(
        "{} {}\n{}\n\n{}\n\nUsage:\n  {} [OPTIONS]{} < request.json\n",
        plugin.name,
        plugin.version,
        plugin.summary,
        WHAT,
        plugin.name,
        arguments(plugin.options)
    );
    section(
        &mut text,
        "Commands, to run by hand",
        plugin.commands.iter().map(|command| {
            (format!("{}{}", command.name, arguments(command.options)), command.summary.to_owned())
        }),
    );
    section(&mut text, "Options", plugin.all_options().map(option_row));
    section(
        &mut text,
        "Service account annotations",
        plugin.annotations.iter().map(|known| (known.key.to_owned(), known.help.to_owned())),
    );
    for topic in plugin.topics {
        section(&mut text, topic.title, (topic.rows)().into_iter());
    }
    section(
        &mut text,
        "Environment",
        plugin.all_environment().map(|known| (known.name.to_owned(), known.help.to_owned())),
    );
    section(
        &mut text,
        "Exit codes",
        std::iter::once(("0".to_owned(), "one response was written to stdout".to_owned())).chain(
            ErrorKind::ALL
                .iter()
                .map(|kind| (kind.exit_code().to_string(), kind.meaning().to_owned())),
        ),
    );
    text
}

/// `--help` of a command.
pub(crate) fn command(plugin: &Plugin, command: &Command) -> String {
    let mut text = format!(
        "{} {}: {}\n\nUsage:\n  {} {} [OPTIONS]{}\n",
        plugin.name,
        command.name,
        command.summary,
        plugin.name,
        command.name,
        arguments(command.options)
    );
    section(&mut text, "Options", command.options.iter().chain(COMMON).map(option_row));
    text
}

/// The arguments without a name, for the usage line.
fn arguments(options: &[OptionSpec]) -> String {
    let positional = options.iter().filter(|option| option.positional && !option.ignored);
    positional
        .map(|option| {
            let value = option.value.unwrap_or(option.name);
            let more = if option.repeated { "..." } else { "" };
            match option.required {
                true => format!(" {value}{more}"),
                false => format!(" [{value}{more}]"),
            }
        })
        .collect()
}

/// What a person sees who starts the plugin on a terminal.
pub(crate) fn by_hand(plugin: &Plugin) -> String {
    let required: String = plugin
        .options
        .iter()
        .filter(|option| option.required)
        .map(|option| match option.positional {
            true => format!(" {}", option.value.unwrap_or_default()),
            false => format!(" --{} {}", option.name, option.value.unwrap_or_default()),
        })
        .collect();
    let image = plugin
        .match_images
        .iter()
        .find(|pattern| !pattern.contains('*'))
        .map_or("registry.example/team/app".to_owned(), |host| format!("{host}/team/app"));
    format!(
        "{name} {version}: {summary}\n\n{WHAT}\nIt waits for a request on stdin, and stdin is a terminal. To try it:\n\n  \
         echo '{{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"image\":\"{image}\"}}' | {name}{required}\n\n\
         `{name} --help` lists the options\n",
        name = plugin.name,
        version = plugin.version,
        summary = plugin.summary,
    )
}

const WHAT: &str = "This is a kubelet image credential provider: the kubelet starts it, writes a\n\
                    request to its stdin, and reads registry credentials from its stdout.";

fn option_row(option: &OptionSpec) -> (String, String) {
    let mut help = option.help.to_owned();
    if option.required {
        help.push_str(" (required)");
    }
    if option.repeated {
        help.push_str(" (may be repeated)");
    }
    let mut notes = Vec::new();
    notes.extend(option.env.map(|env| format!("env: {env}")));
    notes.extend(option.default.map(|default| format!("default: {default}")));
    if !notes.is_empty() {
        let _ = write!(help, " [{}]", notes.join(", "));
    }
    (option.written(), help)
}

/// The longest line, in characters.
const WIDTH: usize = 80;
/// Where help begins, unless all names are shorter. Longer names have a line of their own.
const WIDEST_NAME: usize = 24;

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = (String, String)>) {
    let rows: Vec<_> = rows.collect();
    let lengths = rows.iter().map(|(name, _)| name.len());
    let Some(width) =
        lengths.filter(|length| *length <= WIDEST_NAME).max().or(rows.first().map(|_| WIDEST_NAME))
    else {
        return;
    };
    let _ = write!(text, "\n{title}:\n");
    for (name, help) in rows {
        let mut name = name.as_str();
        if name.len() > width {
            let _ = writeln!(text, "  {name}");
            name = "";
        }
        for line in wrap(&help, WIDTH - width - 4) {
            let _ = writeln!(text, "{}", format!("  {name:width$}  {line}").trim_end());
            name = "";
        }
    }
}

/// `text` in lines of at most `width` characters, where words allow it. There is at least one.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let fits = |line: &String| line.is_empty() || line.len() + 1 + word.len() <= width;
        if !lines.last().is_some_and(fits) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        static PLUGIN: Plugin = Plugin::new("x", |_, _| Err(crate::Error::config("none")))
            .version("1.0.0")
            .summary("Logs in")
            .options(&[
                OptionSpec::value("a-very-long-name-of-an-option", "WITH-A-LONG-VALUE", "short"),
                OptionSpec::value(
                    "b",
                    "N",
                    "a long help that goes on and on and says in the end what the default is, \
                     which is not at all short either",
                )
                .default("something"),
            ]);
        let help = help(&PLUGIN);
        for line in help.lines() {
            assert!(line.chars().count() <= WIDTH && line == line.trim_end(), "{line}");
        }
        assert!(help.contains("  --a-very-long-name-of-an-option WITH-A-LONG-VALUE\n"), "{help}");
        assert!(help.contains("[default: something]"), "{help}");
    }

    #[test]
    fn words_are_wrapped_and_never_cut() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("abcdef a", 4), ["abcdef", "a"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
