// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/shared_circuits.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "shared_layout.hpp"

namespace switchgear::inline v1::host {

/// Where the bytes of a file come from.
class byte_source {
 public:
  /// Bytes that are not there read as zero.
  virtual void read(std::uint64_t at, void* to, std::size_t bytes) const = 0;

 protected:
  ~byte_source() = default;
};

/// A copy of one circuit's memory, aligned as the original.
class record_copy {
 public:
  explicit record_copy(const shared_places& places);
  [[nodiscard]] const record_view& view() const noexcept { return view_; }
  /// Copies the circuit, of one generation if it holds still for long enough.
  void take(const byte_source& from, std::uint32_t circuit);

 private:
  struct free_it {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte[], free_it> memory_;
  record_view view_;
};

/// The header as it was copied, if it is good; else what is wrong.
struct header_copy {
  std::unique_ptr<shared_header> header;
  std::string problem;
};
[[nodiscard]] header_copy read_header(const byte_source& from, std::uint64_t bytes);

/// All that can be read. The header is good.
[[nodiscard]] shared_contents read_contents(const byte_source& from, const shared_header& header, const moment& at);

}  // namespace switchgear::inline v1::host
