// SPDX-License-Identifier: Apache-2.0
#include "upstream.hpp"

#include "http_server.hpp"

namespace switchgear::demo {
namespace {

using namespace std::chrono_literals;

class server final : public http_server {
 public:
  using http_server::http_server;

 private:
  // Work takes two to five milliseconds.
  work begin(std::uint64_t id, std::string_view) override { return {.takes = 2ms + (id - 1) * 7 % 10 * 333us}; }
};

}  // namespace

int run_upstream() {
  if (!write_line(first_inherited + 1, "ready")) return 1;
  server({first_inherited}, first_inherited + 2).run();
  return 0;
}

}  // namespace switchgear::demo
