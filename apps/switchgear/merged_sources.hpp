// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Several sources as one. Of circuits of one name and instance in two of them, the first source's counts. Who asks for one, or
/// acts on one, comes to the source that it was read from.
class merged_sources final : public switchgear::circuit_source {
 public:
  explicit merged_sources(std::vector<std::shared_ptr<switchgear::circuit_source>> all) : all_(std::move(all)) {}

  [[nodiscard]] std::vector<switchgear::circuit_reading> read() override;
  [[nodiscard]] std::optional<switchgear::circuit_detail> detail(std::string_view name, std::string_view instance) override;
  switchgear::action_outcome act(const switchgear::circuit_action& action) override;
  [[nodiscard]] switchgear::subscription observe(std::function<void(const switchgear::event&)> handler) override;
  [[nodiscard]] std::vector<std::string> problems() override;

 private:
  using identity = std::pair<std::string, std::string>;  ///< name and instance

  /// Those who may know of it: the one that it was read from, or all when it was not read yet.
  [[nodiscard]] std::vector<std::shared_ptr<switchgear::circuit_source>> asked_for(identity circuit) const;

  const std::vector<std::shared_ptr<switchgear::circuit_source>> all_;
  mutable std::mutex mutex_;
  std::map<identity, std::size_t> origins_;  ///< as of the last read()
};
