// SPDX-License-Identifier: Apache-2.0
#include "audit_log.hpp"

#include "json_object.hpp"

#include <switchgear/config.hpp>
#include <switchgear/errors.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

std::string reason_of(int error) { return std::generic_category().message(error); }

/// Appends all of `text`, or says why not; `written` is how much of it got there.
std::string append(const std::string& file, std::string_view text, std::size_t& written) {
  // Without waiting: a pipe that nobody reads would hold up the dashboard for ever.
  const descriptor out(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (out.get() < 0) return reason_of(errno);
  struct stat about {};
  if (::fstat(out.get(), &about) != 0) return reason_of(errno);
  if (!S_ISREG(about.st_mode)) return "it is not a regular file";
  while (written < text.size()) {
    const ssize_t n = ::write(out.get(), text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return reason_of(errno);
    written += static_cast<std::size_t>(n);
  }
  return {};
}

/// Whether its last line has no end: whoever wrote it was killed in the middle, or the disk was full.
bool ends_within_a_line(const std::string& file) {
  const descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about {};
  if (in.get() < 0 || ::fstat(in.get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return false;
  char last = '\n';
  return ::pread(in.get(), &last, 1, about.st_size - 1) == 1 && last != '\n';
}

void add_members(json_object& object, const audit_entry& e) {
  object.time("time", e.time)
      .text("action", to_string(e.action.what))
      .text("circuit", e.action.name)
      .text("instance", e.action.instance)
      .text("owner", e.action.owner)
      .text("reason", e.action.reason)
      .raw("ttl", e.action.ttl ? json_string(format_duration(*e.action.ttl)) : "null")
      .text("outcome", e.outcome)
      .text("message", e.message)
      .text("peer", e.peer);
}

}  // namespace

std::string to_json(const audit_entry& e) {
  std::string out;
  json_object object(out);
  add_members(object, e);
  object.end();
  return out;
}

audit_log::audit_log(std::string file, std::size_t most) : file_(std::move(file)), most_(most) {
  if (file_.empty()) return;
  std::size_t written = 0;
  problem_ = append(file_, {}, written);
  torn_ = ends_within_a_line(file_);
}

std::optional<std::string> audit_log::problem() const {
  const std::lock_guard lock(mutex_);
  if (problem_.empty()) return std::nullopt;
  return "the audit file " + file_ + " cannot be written, so no action is carried out: " + problem_;
}

std::optional<std::string> audit_log::intend(const audit_entry& e) {
  std::string id = make_uuid();
  const std::lock_guard lock(mutex_);
  if (!write(id, e)) return std::nullopt;
  return id;
}

bool audit_log::finish(std::string_view id, const audit_entry& e) {
  const std::lock_guard lock(mutex_);
  entries_.push_front({e.action.name, e.action.instance, to_json(e)});
  if (entries_.size() > most_) entries_.pop_back();
  return write(id, e);
}

bool audit_log::write(std::string_view id, const audit_entry& e) {
  if (file_.empty()) return true;
  std::string line = torn_ ? "\n" : "";
  json_object object(line);
  object.text("id", id);
  add_members(object, e);
  object.end();
  line += '\n';
  std::size_t written = 0;
  problem_ = append(file_, line, written);
  if (written != 0) torn_ = written < line.size();
  return problem_.empty();
}

std::string audit_log::list(std::string_view name, std::string_view instance) const {
  std::string out = "[";
  const std::lock_guard lock(mutex_);
  for (const kept& k : entries_) {
    if (!name.empty() && k.name != name) continue;
    if (!instance.empty() && k.instance != instance) continue;
    if (out.size() > 1) out += ',';
    out += k.text;
  }
  return out += ']';
}

}  // namespace switchgear::inline v1::detail
