// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/shared_circuits.hpp>

#include "shared_file.hpp"
#include "shared_home.hpp"
#include "shared_table.hpp"
#include "shared_view.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::host {
namespace {

void require_name(std::string_view name) {
  if (auto p = validate_name(name)) throw config_error({std::move(*p)});
}

/// The mapped file, word by word: no word is torn.
class mapped_source final : public byte_source {
 public:
  explicit mapped_source(const std::byte* base) : base_(base) {}
  void read(std::uint64_t at, void* to, std::size_t bytes) const override {
    const auto* from = reinterpret_cast<const word*>(base_ + at);
    auto* out = static_cast<std::uint64_t*>(to);
    for (std::size_t i = 0; i < bytes / 8; ++i) out[i] = from[i].load(std::memory_order_relaxed);
  }

 private:
  const std::byte* base_;
};

}  // namespace

shared_circuits::shared_circuits(std::shared_ptr<shared_file> file) : file_(std::move(file)) {}
shared_circuits::~shared_circuits() = default;

std::shared_ptr<shared_circuits> shared_circuits::open(const state_folder& folder, std::string_view name,
                                                       const shared_options& sizes, clock_source clock) {
  std::vector<problem> problems = sizes.validate();
  if (auto p = validate_name(name)) problems.insert(problems.begin(), std::move(*p));
  if (!problems.empty()) throw config_error(std::move(problems));
  auto file = shared_file::open(folder, shared_file_name_of(name), &sizes, std::move(clock));
  return std::shared_ptr<shared_circuits>(new shared_circuits(std::move(file)));
}

std::shared_ptr<shared_circuits> shared_circuits::open_existing(const state_folder& folder, std::string_view name,
                                                                clock_source clock) {
  require_name(name);
  return open_file(folder, shared_file_name_of(name), std::move(clock));
}

std::shared_ptr<shared_circuits> shared_circuits::open_file(const state_folder& folder, const std::string& file,
                                                            clock_source clock) {
  return std::shared_ptr<shared_circuits>(new shared_circuits(shared_file::open(folder, file, nullptr, std::move(clock))));
}

std::unique_ptr<detail::shared_home> shared_circuits::home_of(std::string_view name, const config& initial) {
  std::vector<problem> problems = initial.validate();
  if (auto p = validate_name(name)) problems.insert(problems.begin(), std::move(*p));
  if (!problems.empty()) throw config_error(std::move(problems));
  return std::make_unique<file_home>(find_or_make_circuit(file_, name, initial));
}

std::unique_ptr<circuit_breaker> shared_circuits::breaker(std::string_view name, const config& initial, classifier rules) {
  return std::make_unique<circuit_breaker>(home_of(name, initial), std::string(name), std::move(rules));
}

std::unique_ptr<circuit_breaker> shared_circuits::breaker(std::string_view name, const config& initial, classifier rules,
                                                          switchgear::clock& clock) {
  return std::make_unique<circuit_breaker>(home_of(name, initial), std::string(name), std::move(rules), clock);
}

std::unique_ptr<circuit_breaker> shared_circuits::find(std::string_view name, classifier rules) {
  auto there = find_circuit(file_, name);
  if (!there) return nullptr;
  return std::make_unique<circuit_breaker>(std::make_unique<file_home>(std::move(*there)), std::string(name), std::move(rules));
}

bool shared_circuits::remove(std::string_view name) { return remove_circuit(*file_, name); }

std::vector<circuit_view> shared_circuits::views() const {
  const mapped_source source(reinterpret_cast<const std::byte*>(&file_->header()));
  return read_contents(source, file_->header(), file_->read_clock()).circuits;
}

std::vector<std::string> shared_circuits::names() const {
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < file_->places().circuits; ++i) {
    circuit_name name{};
    const circuit_entry& e = file_->entry(i);
    if (place_word{e.is.load()}.state() != place_state::live || problem_of_name(e, name) != nullptr) continue;
    out.emplace_back(name.view());
  }
  std::sort(out.begin(), out.end());
  return out;
}

const std::string& shared_circuits::path() const noexcept { return file_->path(); }

shared_options shared_circuits::sizes() const noexcept { return sizes_of(file_->header()); }

std::uint32_t shared_circuits::processes() const {
  std::uint32_t out = 0;
  for (std::uint32_t i = 0; i < file_->places().processes; ++i) out += file_->alive(i) ? 1 : 0;
  return out;
}

}  // namespace switchgear::inline v1::host
