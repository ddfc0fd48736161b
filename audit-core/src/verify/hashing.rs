//! Leaf hashes of many lines at a time.

use sha2::block_api::compress256;

use crate::evidence::Hash;

const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// One message that is being hashed (FIPS 180-4 §6.2): whole blocks, then one or two with padding.
struct Message<'a> {
    state: [u32; 8],
    whole: &'a [[u8; 64]],
    padded: [[u8; 64]; 2],
    padded_blocks: usize,
}

impl<'a> Message<'a> {
    fn new(data: &'a [u8]) -> Self {
        let (whole, rest) = data.as_chunks::<64>();
        let mut padded = [[0; 64]; 2];
        let padded_blocks = if rest.len() < 56 { 1 } else { 2 };
        let bytes = padded.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let end = padded_blocks * 64;
        bytes[end - 8..end].copy_from_slice(&(data.len() as u64 * 8).to_be_bytes());
        Self { state: START, whole, padded, padded_blocks }
    }

    fn blocks(&self) -> usize {
        self.whole.len() + self.padded_blocks
    }

    #[inline]
    fn step(&mut self, block: usize) {
        let block = match self.whole.get(block) {
            Some(block) => block,
            None => &self.padded[(block - self.whole.len()) & 1],
        };
        compress256(&mut self.state, std::slice::from_ref(block));
    }

    fn finish(mut self, from: usize) -> Hash {
        for block in from..self.blocks() {
            self.step(block);
        }
        to_hash(self.state)
    }
}

/// The SHA-256 of two messages. The blocks take turns: each step of one depends on the step
/// before, so the processor works on the other meanwhile.
pub(crate) fn hash_two(one: &[u8], other: &[u8]) -> (Hash, Hash) {
    let (mut one, mut other) = (Message::new(one), Message::new(other));
    let common = one.blocks().min(other.blocks());
    for block in 0..common {
        one.step(block);
        other.step(block);
    }
    (one.finish(common), other.finish(common))
}

/// The hash of an inner node (RFC 6962 §2.1): as [`node_hash`](crate::evidence::node_hash), without
/// buffering.
#[inline]
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    let mut state = START;
    compress256(&mut state, &node_blocks(left, right));
    to_hash(state)
}

/// The hashes of two inner nodes; the blocks take turns.
#[inline]
pub(crate) fn two_nodes(one: [&Hash; 2], other: [&Hash; 2]) -> (Hash, Hash) {
    let (one, other) = (node_blocks(one[0], one[1]), node_blocks(other[0], other[1]));
    let mut states = [START; 2];
    for (one, other) in one.iter().zip(&other) {
        compress256(&mut states[0], std::slice::from_ref(one));
        compress256(&mut states[1], std::slice::from_ref(other));
    }
    (to_hash(states[0]), to_hash(states[1]))
}

/// The 65 bytes of a node and their padding.
#[inline]
fn node_blocks(left: &Hash, right: &Hash) -> [[u8; 64]; 2] {
    let mut blocks = [[0_u8; 64]; 2];
    let input = blocks.as_flattened_mut();
    input[0] = 1;
    input[1..33].copy_from_slice(left.as_bytes());
    input[33..65].copy_from_slice(right.as_bytes());
    input[65] = 0x80;
    input[126..].copy_from_slice(&(65_u16 * 8).to_be_bytes());
    blocks
}

fn to_hash(state: [u32; 8]) -> Hash {
    let mut bytes = [0; 32];
    for (four, word) in bytes.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    Hash::from_bytes(bytes)
}

/// Whether `digits` are `hash` in 64 lower-case hexadecimal digits.
#[inline]
pub(crate) fn is_written(hash: &Hash, digits: &[u8]) -> bool {
    let (words, rest) = digits.as_chunks::<8>();
    if words.len() != 8 || !rest.is_empty() {
        return false;
    }
    let fours = hash.as_bytes().as_chunks::<4>().0;
    let different = fours.iter().zip(words).fold(0, |different, (four, word)| {
        different | (eight_digits(u32::from_le_bytes(*four)) ^ u64::from_le_bytes(*word))
    });
    different == 0
}

/// Four bytes as eight digits, in the order of memory.
#[inline]
fn eight_digits(four: u32) -> u64 {
    const LOW: u64 = 0x000f_000f_000f_000f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let spread = u64::from(four);
    let spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = spread >> 4 & LOW | (spread & LOW) << 8;
    // Adding 118 sets the highest bit of what is 10 or more: those are letters.
    let letters = (nibbles + 118 * ONES) >> 7 & ONES;
    nibbles + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_recognised_as_it_is_written() {
        let hash = Hash::digest(b"x");
        assert!(is_written(&hash, hash.to_hex().as_bytes()));
        assert!(!is_written(&hash, hash.to_hex().to_uppercase().as_bytes()));
        assert!(!is_written(&hash, Hash::digest(b"y").to_hex().as_bytes()));
        assert!(!is_written(&hash, &hash.to_hex().as_bytes()[1..]));
    }

    #[test]
    fn a_node_is_the_hash_of_its_children() {
        let (left, right) = (Hash::digest(b"left"), Hash::digest(b"right"));
        let expected = crate::evidence::node_hash;
        assert_eq!(node(&left, &right), expected(&left, &right));
        let both = (expected(&left, &right), expected(&right, &left));
        assert_eq!(two_nodes([&left, &right], [&right, &left]), both);
    }

    #[test]
    fn two_at_a_time_are_the_two_one_by_one() {
        let data: Vec<u8> = (0..600_u32).map(|byte| byte as u8).collect();
        for one in 0..300 {
            for other in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 300 - one, 600] {
                assert_eq!(
                    hash_two(&data[..one], &data[..other]),
                    (Hash::digest(&data[..one]), Hash::digest(&data[..other]))
                );
            }
        }
    }
}
