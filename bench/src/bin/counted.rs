//! The library as an answerer, with the system's allocator, whose calls can be counted and profiled from outside.

#[path = "../library.rs"]
mod library;

fn main() -> std::io::Result<()> {
    library::main()
}
