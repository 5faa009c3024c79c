//! `explain IMAGE`: which profile is used, and what it would send. Secrets are shown by name only.

use std::fmt::Write as _;

use pullpass::{Error, GoDuration, Image, Options};

use super::{parse_annotations, parse_image};
use crate::engine::{Values, step_url};
use crate::exchange::Steps;
use crate::profile::template::Template;
use crate::profile::{
    Auth, Body, ClientAuth, Exchange, Expiry, Json, Policy, Profile, Step, Target, Username,
};
use crate::registry::Registry;
use crate::response::auth_keys;
use crate::settings::Settings;

pub(super) fn run(options: &Options) -> Result<String, Error> {
    let settings = Settings::from_options(options)?;
    let image = parse_image(options)?;
    let (profile, registry) = settings.profile_for(&image)?;
    let annotations = parse_annotations(options)?;
    let mut values = Values::from_image(&image);
    let mut text = format!("image:    {image}\nprofile:  `{}`, for `{registry}`\n", profile.name);
    write_token(&mut text, profile);
    for variable in &profile.variables {
        let _ = match variable.public_value(&image, Some(&annotations)) {
            Ok(None) => writeln!(text, "variable: {} is in a file", variable.name),
            Ok(Some(value)) => {
                values.set(&variable.name, value);
                writeln!(text, "variable: {} = `{value}`", variable.name)
            }
            Err(error) => writeln!(text, "variable: {}: {error}", variable.name),
        };
    }
    match (&profile.exchange, Steps::from_exchange(&profile.exchange)) {
        (_, Some(steps)) => write_steps(&mut text, &steps, &values),
        (Exchange::File(path), None) => {
            let _ = write!(text, "\nNo call: the login is read from `{}`.\n", path.display());
        }
        (_, None) => text.push_str("\nNo call: the pod's token is the password.\n"),
    }
    write_answer(&mut text, profile, registry, &image, &values);
    Ok(text)
}

fn write_token(text: &mut String, profile: &Profile) {
    let Some(expected) = &profile.service_account else {
        text.push_str("token:    none is needed\n");
        return;
    };
    let _ = write!(text, "token:    for the audience `{}`", expected.audience);
    if let Some(issuer) = &expected.issuer {
        let _ = write!(text, ", from `{issuer}`");
    }
    text.push_str(match expected.on_missing {
        Policy::Fail => "; without one: an error\n",
        Policy::Empty => "; without one: no credentials\n",
    });
    if expected.may_be_for_api_server() {
        text.push_str(
            "          the Kubernetes API server may accept tokens for this audience: they are not \
             sent,\n          unless the profile has `allowApiServerAudience: true`, or the plugin's \
             `args` have\n          `--allow-audience`\n",
        );
    }
}

fn write_steps(text: &mut String, steps: &Steps<'_>, values: &Values) {
    if let Some(discovery) = steps.discovery {
        let _ = write!(
            text,
            "\nGET {}\n  for the token endpoint of `{}`\n",
            discovery.url, discovery.issuer
        );
    }
    for step in steps.steps.iter() {
        let to = match &step.target {
            Target::Address(address) => step_url::preview(address, values),
            Target::TokenEndpoint => "(the token endpoint)".to_owned(),
        };
        let _ = write!(text, "\n{} {to}\n", step.method);
        write_step(text, step, values);
        if step.client {
            let _ = match steps.client {
                ClientAuth::None => Ok(()),
                ClientAuth::Public(id) => writeln!(text, "  client_id: {id}"),
                ClientAuth::Basic(secret) => {
                    writeln!(
                        text,
                        "  Authorization: Basic {}:(the secret in `{}`)",
                        secret.client_id,
                        secret.file.display()
                    )
                }
                ClientAuth::Post(secret) => {
                    writeln!(
                        text,
                        "  client_id: {}\n  client_secret: (in `{}`)",
                        secret.client_id,
                        secret.file.display()
                    )
                }
                ClientAuth::PrivateKey(key) => {
                    writeln!(
                        text,
                        "  client_id: {}\n  client_assertion: (signed by `{}`)",
                        key.client_id,
                        key.file.display()
                    )
                }
                ClientAuth::PodToken(id) => {
                    let _ = match id {
                        Some(id) => writeln!(text, "  client_id: {id}"),
                        None => Ok(()),
                    };
                    writeln!(text, "  client_assertion: ${{sa.token}}")
                }
            };
        }
        for (name, pointer) in &step.capture {
            let _ = writeln!(text, "  takes `{name}` from `{pointer}` of the answer");
        }
    }
}

fn write_step(text: &mut String, step: &Step, values: &Values) {
    let _ = match &step.auth {
        Auth::None => Ok(()),
        Auth::Bearer(token) => writeln!(text, "  Authorization: Bearer {}", names_only(token)),
        Auth::Basic { user, password } => writeln!(
            text,
            "  Authorization: Basic {}:{}",
            values.preview(user),
            names_only(password)
        ),
    };
    for (name, value) in &step.headers {
        let _ = writeln!(text, "  {name}: {}", names_only(value));
    }
    match &step.body {
        Body::None => {}
        Body::Form(fields) => {
            for (name, value) in fields {
                write_field(text, name, &values.preview(value));
            }
        }
        Body::Json(json) => write_json(text, "", json, values),
    }
}

/// The names in a template where a secret is expected: its fixed text may be one, and is not
/// shown.
fn names_only(template: &Template) -> String {
    let names: String = template.names().map(|name| format!("${{{name}}}")).collect();
    match names.is_empty() {
        true => "(as in the file)".to_owned(),
        false => names,
    }
}

fn write_json(text: &mut String, name: &str, json: &Json, values: &Values) {
    let below = |part: &str| match name {
        "" => part.to_owned(),
        name => format!("{name}.{part}"),
    };
    match json {
        Json::Text(template) => write_field(text, name, &values.preview(template)),
        Json::Other(value) => write_field(text, name, &value.to_string()),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| write_json(text, &below(&at.to_string()), item, values)),
        Json::Object(fields) => {
            fields.iter().for_each(|(part, json)| write_json(text, &below(part), json, values));
        }
    }
}

/// An empty value is left out, as when it is sent.
fn write_field(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(text, "  {name}: {value}");
    }
}

fn write_answer(
    text: &mut String,
    profile: &Profile,
    registry: &Registry,
    image: &Image,
    values: &Values,
) {
    let answer = &profile.response;
    let user = match &answer.username {
        Username::Fixed(name) => format!("`{}`", values.preview(name)),
        Username::Answered { pointer, claim, .. } => match (pointer, claim) {
            (Some(pointer), None) => format!("at `{pointer}`"),
            (Some(pointer), Some(claim)) => {
                format!("at `{pointer}`, else the password's claim `{claim}`")
            }
            (None, claim) => {
                format!("the password's claim `{}`", claim.as_deref().unwrap_or_default())
            }
        },
    };
    let _ = write!(text, "\nuser:     {user}\n");
    if !matches!(profile.exchange, Exchange::Passthrough) {
        let _ = writeln!(text, "password: at `{}`", answer.password);
        let life = match &answer.expiry {
            Expiry::Seconds(at) => format!("the seconds at `{at}`, else its own `exp`"),
            Expiry::Epoch(at) => format!("the time in seconds at `{at}`"),
            Expiry::EpochMillis(at) => format!("the time in milliseconds at `{at}`"),
            Expiry::Rfc3339(at) => format!("the date at `{at}`"),
            Expiry::Jwt => "its own `exp`".to_owned(),
            Expiry::Fixed => "as the profile says".to_owned(),
        };
        let _ = write!(text, "lives:    {life}");
        for (what, span) in [
            ("else", answer.default_lifetime),
            ("less", answer.margin),
            ("kept at most", answer.max_cache_duration),
        ] {
            let Some(span) = span else { continue };
            let _ = write!(text, "; {what} {}", GoDuration::from(span));
        }
        text.push('\n');
    }
    let keys: Vec<_> = auth_keys(profile, registry, image).map(|key| format!("`{key}`")).collect();
    let _ =
        writeln!(text, "for:      {}, kept per {}", keys.join(", "), profile.cache_key.as_str());
}
