// SPDX-License-Identifier: Apache-2.0
//
// Input: the binary form of a saved state. It is also tried with its checksum put right, or no fuzzer would ever get
// behind it.
#include "fuzz.hpp"
#include "restored.hpp"

#include <string>

namespace sg = switchgear;

namespace {

void put_checksum_right(std::string& bytes) {
  if (bytes.size() < 8) return;
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, as in the core
  const std::size_t end = bytes.size() - 8;
  for (std::size_t i = 0; i < end; ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3u;
  for (std::size_t i = 0; i < 8; ++i) bytes[end + i] = static_cast<char>(hash >> 8 * i & 0xff);
}

void check(const std::string& bytes) {
  const sg::read_state read = sg::from_binary(bytes);
  sg::fuzz::require(read.state.has_value() == read.refused.empty(), "either a state or a reason");
  if (!read.state) return;
  sg::fuzz::require(sg::to_binary(*read.state) == bytes, "only what is written is read");
  sg::fuzz::check_accepted(*read.state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(sg::fuzz::text_of(data, size));
  check(bytes);
  put_checksum_right(bytes);
  check(bytes);
  return 0;
}
