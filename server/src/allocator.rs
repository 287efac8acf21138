//! The program's memory.

use std::ptr;

/// After a wave of sessions the system's allocator keeps most of their memory: what is freed lies scattered among what
/// lives. This one gives it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// [Its settings](https://jemalloc.net/jemalloc.3.html#tuning), which it looks up by this name. What was freed goes back to
/// the system after a second, not ten. A thread keeps few freed pieces to itself, and none above 4 KiB, because each holds
/// the pages that it lies on as long as the thread has nothing to do; that costs some 5 % of the processor time under load.
/// Pieces of one size share some pages. What describes such a share is never given back, and by its own sizes, often a single
/// page, the allocator has so many of them that this was about half of what a wave of sessions left: so the sizes of which
/// every session has some share 8, and that of a session itself, of which none is left, 32. Sizes of which there are ever but
/// a few share as little as they can: one that stays keeps all pages of its share.
#[expect(unsafe_code, reason = "nothing else in the program has this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static SETTINGS: &[u8; 233] =
    b"dirty_decay_ms:1000,muzzy_decay_ms:0,tcache_max:4096,tcache_nslots_small_min:2,\
    tcache_nslots_small_max:8,tcache_nslots_large:2,slab_sizes:1-1024:8|1025-1280:2|1281-1792:8|1793-3072:2|\
    3073-3584:8|3585-4096:2|4097-5120:32|5121-14336:1\0";

/// Wakes the threads that give memory back, by making them anew. They sleep until some time by the wall clock: once that was
/// set back, for as much longer, while what is freed stays.
pub(crate) fn wake() {
    for is_on in [false, true] {
        // SAFETY: the value that is written is a bool, as the name wants it, and outlives the call.
        // https://jemalloc.net/jemalloc.3.html#background_thread
        #[expect(unsafe_code, reason = "a call of C")]
        let failed = unsafe {
            let value = ptr::from_ref(&is_on).cast_mut().cast();
            tikv_jemalloc_sys::mallctl(
                c"background_thread".as_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
                value,
                size_of::<bool>(),
            )
        };
        if failed != 0 {
            tracing::warn!("memory that is freed may be given back late: error {failed} of the allocator");
        }
    }
}

/// Gives back what the allocator keeps for this thread, which otherwise holds the pages that it lies on: for a thread that
/// has nothing to do for now.
pub(crate) fn tidy() {
    // SAFETY: no values are read or written. https://jemalloc.net/jemalloc.3.html#thread.tcache.flush
    #[expect(unsafe_code, reason = "a call of C")]
    let _ = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"thread.tcache.flush".as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            0,
        )
    };
}
