//! A plugin's page, from the same data as its `--help`.

use clap_mangen::roff::{Roff, bold, roman};
use pullpass::{ErrorKind, OptionSpec, Plugin};

use crate::manual::{write_examples, write_item, write_see_also};

/// The page in the form that man(1) reads.
pub(super) fn page(plugin: &Plugin) -> String {
    let mut roff = Roff::new();
    let title = plugin.name.to_uppercase();
    roff.control("TH", [&title, "1", "", &format!("{} {}", plugin.name, plugin.version), ""]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{} - {}", plugin.name, plugin.summary))]);
    write_synopsis(&mut roff, plugin);
    write_description(&mut roff, plugin);
    roff.control("SH", ["OPTIONS"]);
    for option in plugin.all_options() {
        write_item(&mut roff, &option.written(), &option_help(option));
    }
    write_commands(&mut roff, plugin);
    if !plugin.annotations.is_empty() {
        roff.control("SH", ["SERVICE ACCOUNT ANNOTATIONS"]);
        for annotation in plugin.annotations {
            write_item(&mut roff, annotation.key, annotation.help);
        }
    }
    for topic in plugin.topics {
        roff.control("SH", [topic.title.to_uppercase().as_str()]);
        for (name, help) in (topic.rows)() {
            write_item(&mut roff, &name, &help);
        }
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for option in plugin.all_options() {
        if let Some(name) = option.env {
            write_item(&mut roff, name, &format!("sets {}", option.written()));
        }
    }
    for variable in plugin.all_environment() {
        write_item(&mut roff, variable.name, variable.help);
    }
    roff.control("SH", ["EXIT STATUS"]);
    write_item(&mut roff, "0", "one response was written to stdout");
    for kind in ErrorKind::ALL {
        write_item(&mut roff, &kind.exit_code().to_string(), kind.meaning());
    }
    let image = image(plugin);
    let request = format!(
        "echo '{{\"kind\":\"CredentialProviderRequest\",\n  \
         \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\n  \"image\":\"{image}\"}}' |\n  {}{}",
        plugin.name,
        required_options(plugin)
    );
    let config = match plugin.match_images.is_empty() {
        true => format!("pullpass config {} --match-image registry.example", plugin.name),
        false => format!("pullpass config {}", plugin.name),
    };
    write_examples(
        &mut roff,
        [
            ("the kubelet's configuration", config.as_str()),
            ("run it as the kubelet does; stdout then holds a live password", request.as_str()),
        ]
        .into_iter(),
    );
    write_see_also(&mut roff, ["pullpass", "pullpass-config", "pullpass-lookup"].into_iter());
    roff.render()
}

fn write_synopsis(roff: &mut Roff, plugin: &Plugin) {
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(plugin.name), roman(" [OPTIONS] < request.json")]);
    for command in plugin.commands {
        roff.control("br", []);
        roff.text([bold(plugin.name), roman(" "), bold(command.name), roman(" [OPTIONS]")]);
    }
}

fn write_description(roff: &mut Roff, plugin: &Plugin) {
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(
        "A kubelet image credential provider: the kubelet starts it, writes a request to its \
         stdin, and reads registry credentials from its stdout. Errors and logs go to stderr; \
         they never hold a token or a password.",
    )]);
    if plugin.match_images.is_empty() {
        return;
    }
    roff.control("PP", []);
    roff.text([roman("It answers for images of these hosts:")]);
    roff.control("nf", []);
    for pattern in plugin.match_images {
        roff.text([roman(format!("    {pattern}"))]);
    }
    roff.control("fi", []);
}

fn write_commands(roff: &mut Roff, plugin: &Plugin) {
    if plugin.commands.is_empty() {
        return;
    }
    roff.control("SH", ["COMMANDS"]);
    for command in plugin.commands {
        write_item(roff, command.name, command.summary);
        roff.control("RS", []);
        for option in command.options {
            write_item(roff, &option.written(), &option_help(option));
        }
        roff.control("RE", []);
    }
}

fn option_help(option: &OptionSpec) -> String {
    let mut help = option.help.to_owned();
    if option.required {
        help.push_str(" (required)");
    }
    if option.repeated {
        help.push_str(" (may be repeated)");
    }
    if let Some(default) = option.default {
        help.push_str(&format!(" [default: {default}]"));
    }
    help
}

/// An image that the plugin may be asked about.
fn image(plugin: &Plugin) -> String {
    let host = plugin.match_images.iter().find(|pattern| !pattern.contains('*'));
    format!("{}/team/app", host.unwrap_or(&"registry.example"))
}

fn required_options(plugin: &Plugin) -> String {
    let required = plugin.options.iter().filter(|option| option.required);
    required.map(|option| format!(" {}", option.written())).collect()
}
