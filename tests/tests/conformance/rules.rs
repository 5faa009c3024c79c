//! Every rule, as one function over one plugin's ground.

mod answers;
mod audiences;
mod errors;
mod files;
mod hosts;
mod options;
mod requests;
mod streams;

use std::any::type_name;

use crate::ground::Ground;

/// A rule under its own name.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) check: Check,
}

type Check = Box<dyn Fn(&Ground<'_>) + Send>;

impl Rule {
    fn of<Function: Fn(&Ground<'_>) + Send + 'static>(check: Function) -> Self {
        let path = type_name::<Function>();
        let name = path.split_once("::rules::").map_or(path, |(_, name)| name);
        Self { name, check: Box::new(check) }
    }
}

pub(crate) fn all() -> Vec<Rule> {
    let rules = [
        answers::rules(),
        audiences::rules(),
        errors::rules(),
        files::rules(),
        hosts::rules(),
        options::rules(),
        requests::rules(),
        streams::rules(),
    ];
    rules.into_iter().flatten().collect()
}
