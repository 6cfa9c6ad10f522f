// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace switchgear::inline v1::redis::detail {

/// The name of a command in upper case, as errors show it; `command` when it does not look like a name.
[[nodiscard]] std::string shown_name(std::string_view first_word);

/// Finds commands that would leave a connection in another state than they found it, for the call that uses it next.
class command_check {
 public:
  /// The next command. Throws config_error.
  void see(std::string_view first_word, std::string_view second_word);
  /// No command follows. Throws config_error.
  void end() const;

 private:
  bool in_transaction_ = false, watching_ = false;
};

}  // namespace switchgear::inline v1::redis::detail
