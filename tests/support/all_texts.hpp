// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>

#include <exception>
#include <string>

namespace test_support {

/// Everything that an exception of an adapter and those nested in it say: for tests that look for secrets.
inline std::string all_texts(const std::exception& e) {
  std::string text = e.what();
  const auto add = [&](const switchgear::error_context& c) {
    text += "\n" + c.transport + "\n" + c.operation + "\n" + c.target;
  };
  if (const auto* failed = dynamic_cast<const switchgear::connection_error*>(&e)) add(failed->context());
  if (const auto* refused = dynamic_cast<const switchgear::refused_error*>(&e)) {
    add(refused->context());
    text += "\n" + refused->code();
  }
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& nested) {
    text += "\n" + all_texts(nested);
  }
  return text;
}

}  // namespace test_support
