//! The least that a Rust process can do: `cargo xtask bench` compares plugins with it.

#![allow(clippy::print_stdout, reason = "its only work")]

fn main() {
    println!("hello");
}
