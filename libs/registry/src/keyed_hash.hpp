// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace switchgear::inline v1::detail {

struct hash_key {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// A key that nobody outside can know.
[[nodiscard]] hash_key random_hash_key();

/// SipHash (Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012) with `Rounds` a word and `Last` at the end, for names
/// that are shortened: different ones have to stay different, whoever makes them.
template <int Rounds, int Last>
class sip_hash {
 public:
  static std::uint64_t of(std::string_view text, hash_key key) noexcept {
    sip_hash h(key, 0);
    h.absorb(text);
    h.v2_ ^= 0xff;
    return h.finish();
  }
  /// The 128-bit variant of the reference implementation.
  static std::array<std::uint64_t, 2> wide(std::string_view text, hash_key key) noexcept {
    sip_hash h(key, 0xee);
    h.absorb(text);
    h.v2_ ^= 0xee;
    const std::uint64_t first = h.finish();
    h.v1_ ^= 0xdd;
    return {first, h.finish()};
  }

 private:
  sip_hash(hash_key key, std::uint64_t variant) noexcept
      : v0_(key.low ^ 0x736f6d6570736575),
        v1_(key.high ^ 0x646f72616e646f6d ^ variant),
        v2_(key.low ^ 0x6c7967656e657261),
        v3_(key.high ^ 0x7465646279746573) {}

  void round() noexcept {
    v0_ += v1_, v1_ = std::rotl(v1_, 13) ^ v0_, v0_ = std::rotl(v0_, 32);
    v2_ += v3_, v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_, v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_, v1_ = std::rotl(v1_, 17) ^ v2_, v2_ = std::rotl(v2_, 32);
  }
  void word(std::uint64_t m) noexcept {
    v3_ ^= m;
    for (int i = 0; i < Rounds; ++i) round();
    v0_ ^= m;
  }
  // Words in the byte order of this machine: only the names of long keys outlive the process, and those are the same on all
  // machines of one byte order.
  void absorb(std::string_view text) noexcept {
    const std::uint64_t size = text.size();
    for (; text.size() >= 8; text.remove_prefix(8)) word(read_word(text.data()));
    std::uint64_t rest = size << 56;
    if (std::endian::native == std::endian::little && size >= 8) {
      // The last eight bytes hold them, above those that were read before: quicker than one by one.
      if (!text.empty()) rest |= read_word(text.data() + text.size() - 8) >> (64 - 8 * text.size());
    } else {
      for (std::size_t i = 0; i < text.size(); ++i) {
        rest |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << 8 * i;
      }
    }
    word(rest);
  }
  static std::uint64_t read_word(const char* from) noexcept {
    std::uint64_t out = 0;
    std::memcpy(&out, from, sizeof out);
    return out;
  }
  std::uint64_t finish() noexcept {
    for (int i = 0; i < Last; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

/// Of the names in a table: quick, and hard to steer without the key, which is drawn for each registry. The construction is that
/// of wyhash (Wang Yi, final version 3, public domain): 16 bytes a multiplication, the halves of the product folded together.
class name_hash {
 public:
  explicit name_hash(hash_key key) noexcept : low_(key.low), high_(key.high | 1) {}

  [[nodiscard]] std::uint64_t operator()(std::string_view text) const noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t state = low_;
    for (; left > 16; left -= 16, at += 16) state = fold(read<std::uint64_t>(at) ^ high_, read<std::uint64_t>(at + 8) ^ state);
    std::uint64_t first = 0, last = 0;
    if (text.size() >= 16) {  // the last 16 bytes, some of them for the second time
      first = read<std::uint64_t>(at + left - 16), last = read<std::uint64_t>(at + left - 8);
    } else if (left >= 8) {
      first = read<std::uint64_t>(at), last = read<std::uint64_t>(at + left - 8);
    } else if (left >= 4) {
      first = read<std::uint32_t>(at), last = read<std::uint32_t>(at + left - 4);
    } else if (left > 0) {
      first = static_cast<unsigned char>(at[0]);
      last = static_cast<std::uint64_t>(static_cast<unsigned char>(at[left / 2])) << 8 | static_cast<unsigned char>(at[left - 1]);
    }
    return fold(high_ ^ text.size(), fold(first ^ high_, last ^ state));
  }

 private:
  template <class T>
  static T read(const char* from) noexcept {
    T out = 0;
    std::memcpy(&out, from, sizeof out);
    return out;
  }
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t low_, high_;
};

}  // namespace switchgear::inline v1::detail
