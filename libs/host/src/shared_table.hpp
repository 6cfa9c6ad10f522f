// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <memory>
#include <optional>
#include <string_view>

#include "shared_file.hpp"

namespace switchgear::inline v1::host {

/// A circuit that this process has mapped; unmapped when it goes.
class mapped_circuit {
 public:
  mapped_circuit(std::shared_ptr<shared_file> file, std::uint32_t index, const circuit_name& name)
      : file_(std::move(file)), index_(index), name_(name) {}
  mapped_circuit(mapped_circuit&& other) noexcept = default;  // a moved-from shared_ptr is null
  mapped_circuit& operator=(mapped_circuit&&) = delete;
  ~mapped_circuit() {
    if (file_) file_->unmap(index_);
  }
  [[nodiscard]] shared_file& file() const noexcept { return *file_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] record_view record() const noexcept { return file_->record(index_); }
  [[nodiscard]] std::uint64_t seed() const noexcept { return name_.seed; }
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

 private:
  std::shared_ptr<shared_file> file_;
  std::uint32_t index_;
  circuit_name name_;
};

/// The circuit of that name, without waiting for anybody; nothing when there is none. Throws state_error `refused` when it is
/// damaged.
[[nodiscard]] std::optional<mapped_circuit> find_circuit(const std::shared_ptr<shared_file>& file, std::string_view name);

/// The same, or a new one with that configuration, which is valid. Throws state_error: `busy` when the lock cannot be had, or
/// when one of that name was removed and some process still uses it; `full`; `system` when the disk is.
[[nodiscard]] mapped_circuit find_or_make_circuit(const std::shared_ptr<shared_file>& file, std::string_view name,
                                                  const config& initial);

/// Takes the name out of the table. False when there is none. Throws state_error `busy`.
bool remove_circuit(shared_file& file, std::string_view name);

}  // namespace switchgear::inline v1::host
