use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// The generator of one purpose in the run of one seed: a draw more for one purpose shifts no other.
pub(crate) fn generator(seed: u64, purpose: &str) -> Pcg64Mcg {
    // FNV-1a: fixed for ever, so a seed means the same run in every process and build.
    let mixed = purpose
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    Pcg64Mcg::seed_from_u64(mixed)
}
