// SPDX-License-Identifier: Apache-2.0
#include <switchgear/log/json_lines.hpp>

#include <memory>
#include <mutex>

namespace switchgear::inline v1 {

log_sink json_lines(std::ostream& out) {
  return [&out, one_at_a_time = std::make_shared<std::mutex>()](const log_record& r) {
    const std::string line = to_json(r) + "\n";
    const std::lock_guard lock(*one_at_a_time);
    out.write(line.data(), static_cast<std::streamsize>(line.size()));
    out.flush();
  };
}

}  // namespace switchgear::inline v1
