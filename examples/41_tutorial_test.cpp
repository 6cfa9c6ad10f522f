// SPDX-License-Identifier: Apache-2.0
//
// The test of docs/tutorial.md: half a minute passes in no time.
//
// [test]
#undef NDEBUG
#include "prices.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <cassert>

std::string outcome(price_client& client, const std::string& article) {
  try {
    return client.price_of(article);
  } catch (const sg::circuit_open_error&) {
    return "not asked";
  } catch (const no_such_article&) {
    return "unknown";
  } catch (const std::exception&) {
    return "failed";
  }
}

int main() {
  const std::filesystem::path here = std::filesystem::temp_directory_path(), nowhere = here / "a folder that is not there";
  sg::testing::manual_clock clock;
  sg::circuit_breaker circuit{
      "prices", {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1}, price_client::rules(), clock};
  price_client up{here, circuit}, down{nowhere, circuit};

  for (int i = 0; i < 10; ++i) assert(outcome(up, "no such article") == "unknown");
  assert(circuit.is_closed());  // mistakes of callers open nothing

  assert(outcome(down, "lamp") == "failed");
  assert(outcome(down, "lamp") == "failed");
  assert(circuit.is_open());
  assert(outcome(down, "lamp") == "not asked");

  clock.advance(30s);  // nobody waits
  assert(circuit.is_half_open());
  assert(outcome(down, "lamp") == "failed");  // the probe was let through, and the service is still down
  assert(circuit.is_open());
}
// [/test]
