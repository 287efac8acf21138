//! The library as an answerer, with the program's allocator.

#[path = "../library.rs"]
mod library;

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::io::Result<()> {
    library::main()
}
