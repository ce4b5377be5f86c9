//! The dice that weights are drawn with.

/// A small generator of even numbers between bounds (`SplitMix64`): quick, and the same again from the same seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self(rand::random())
    }
}

impl Dice {
    /// Dice that fall the same way every time.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // the high half of a product: even to within one in 2^32
        let scaled = ((z >> 32) * u64::from(bound)) >> 32;
        u32::try_from(scaled).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same_way_and_evenly() {
        let (mut a, mut b) = (Dice::seeded(7), Dice::seeded(7));
        let mut counted = [0_u32; 6];
        for _ in 0..6000 {
            let n = a.below(6);
            assert_eq!(n, b.below(6));
            counted[n as usize] += 1;
        }
        assert!(counted.iter().all(|n| (850..1150).contains(n)), "{counted:?}");
        assert_eq!(a.below(0), 0);
    }
}
