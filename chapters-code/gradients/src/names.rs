//! A number for a name: with a seed, a parameter's first values follow from it.

use std::hash::Hasher;

use fnv::FnvHasher;

/// FNV-1a, of 64 bits: the same number for the same name on every machine.
pub fn name_hash(name: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::name_hash;

    /// The test vectors of draft-eastlake-fnv.
    #[test]
    fn hashes_are_fnvs() {
        assert_eq!(name_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(name_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(name_hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
