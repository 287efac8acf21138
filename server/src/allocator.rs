//! The program's memory.

/// After a wave of sessions the system's allocator keeps most of their memory: what is freed lies scattered among what
/// lives. This one gives it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// [Its settings](https://jemalloc.net/jemalloc.3.html#tuning), which it looks up by this name. What was freed goes back to
/// the system after a second, not ten. A thread keeps few freed pieces to itself, and none above 4 KiB, because each holds
/// the pages that it lies on as long as the thread has nothing to do; that costs some 5 % of the processor time under load.
#[expect(unsafe_code, reason = "nothing else in the program has this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static SETTINGS: &[u8; 127] =
    b"dirty_decay_ms:1000,muzzy_decay_ms:0,tcache_max:4096,tcache_nslots_small_min:2,\
    tcache_nslots_small_max:8,tcache_nslots_large:2\0";
