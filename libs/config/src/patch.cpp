// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/patch.hpp"

#include "switchgear/config/keys.hpp"

#include <algorithm>
#include <vector>

namespace switchgear::inline v1 {
namespace {

std::string with_origin(std::string message, const patch_entry& entry) {
  if (!entry.origin.empty()) message += ", in " + entry.origin;
  return message;
}

/// What the source that wrote `entry` calls another key: behind the same prefix, with the same letters and separators.
std::string spelled_like(const patch_entry& entry, std::string_view key) {
  std::string out(key);
  if (entry.name.size() < entry.key.size()) return out;
  const std::size_t split = entry.name.size() - entry.key.size();
  const std::string_view written = std::string_view(entry.name).substr(split);
  constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz";
  const bool upper = written.find_first_of(small_letters) == std::string_view::npos ||
                     entry.key.find_first_of(small_letters) == std::string::npos;
  const bool dashes = written.find('-') != std::string_view::npos;
  for (char& c : out) {
    if (dashes && c == '_') c = '-';
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return entry.name.substr(0, split) + out;
}

problem refuse(const patch_entry& entry, std::string message, std::string_view allowed = {}) {
  return {entry.shown_name(), entry.confidential ? std::string() : entry.value.spelling, std::string(allowed),
          with_origin(std::move(message), entry)};
}

/// Who wrote the value that a key has now.
struct author {
  const patch_entry* entry = nullptr;
  bool unreadable = false;
};

class application {
 public:
  explicit application(const config& base) : config_(base), authors_(config_keys().size()) {}

  void layer(const config_patch& patch) {
    std::vector<const patch_entry*> seen(authors_.size(), nullptr);
    // The key itself wins over its alias wherever it stands, so that the outcome does not hang on the order.
    for (const patch_entry& entry : patch.entries) {
      const key_match match = find_key(entry.key);
      if (!match.by_alias && match && seen[index(match)] == nullptr) seen[index(match)] = &entry;
    }
    for (const patch_entry& entry : patch.entries) {
      const key_match match = find_key(entry.key);
      if (!match) {
        refuse_name(entry);
        continue;
      }
      const patch_entry*& first = seen[index(match)];
      if (first != nullptr && first != &entry) {
        refuse_second(entry, *first);
        continue;
      }
      first = &entry;
      assign(entry, match);
    }
  }

  config_result finish() {
    config judged = config_;
    const auto keys = config_keys();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (authors_[i].unreadable) keys[i].stand_in(judged);
    }
    for (problem& found : judged.validate()) {
      const key_match match = find_key(found.key);
      const patch_entry* entry = match ? authors_[index(match)].entry : nullptr;
      if (entry != nullptr) {
        found.key = entry->shown_name();
        found.value = entry->value.spelling;  // could be read, so it is what the key takes and no secret
        found.message = with_origin(std::move(found.message), *entry);
      }
      problems_.push_back(std::move(found));
    }
    return {std::move(config_), std::move(problems_)};
  }

 private:
  static std::size_t index(const key_match& match) {
    return static_cast<std::size_t>(match.info - config_keys().data());
  }

  void refuse_name(const patch_entry& entry) {
    if (const auto candidates = ambiguous_key(entry.key)) {
      problems_.push_back(refuse(entry, "means different things in different systems; write " +
                                            spelled_like(entry, candidates->first) + " or " +
                                            spelled_like(entry, candidates->second)));
    } else {
      problems_.push_back(
          refuse(entry, "unknown; the nearest known name is " + spelled_like(entry, nearest_key(entry.key))));
    }
  }

  void refuse_second(const patch_entry& entry, const patch_entry& first) {
    const std::string where = first.origin.empty() || first.origin == entry.origin ? "" : " in " + first.origin;
    const bool twice = entry.key == first.key;
    problems_.push_back(refuse(entry, twice ? "given twice, the first time" + (where.empty() ? " before" : where)
                                            : "another name of " + first.shown_name() + ", which is given too" + where +
                                                  "; keep one of them"));
  }

  void assign(const patch_entry& entry, const key_match& match) {
    std::string error = match.info->assign(config_, entry.value);
    if (error.empty() && match.by_alias && match.info->kind == value_kind::window && config_.window.timed) {
      error = "counts calls; for a duration write " + spelled_like(entry, match.info->key);
    }
    authors_[index(match)] = {&entry, !error.empty()};
    if (!error.empty()) problems_.push_back(refuse(entry, std::move(error), match.info->allowed));
  }

  config config_;
  std::vector<author> authors_;
  std::vector<problem> problems_;
};

}  // namespace

config_result apply(const config_patch& patch, const config& base) { return apply_layers(std::span(&patch, 1), base); }

config_result apply_layers(std::span<const config_patch> layers, const config& base) {
  application all(base);
  for (const config_patch& patch : layers) all.layer(patch);
  return all.finish();
}

config_patch config_to_patch(const config& c) {
  config_patch patch;
  for (const key_info& info : config_keys()) {
    if (auto value = info.value_of(c)) patch.set(info.key, std::move(*value));
  }
  return patch;
}

patch_result preset_patch(std::string_view name, std::string_view origin) {
  const auto preset = presets::find(name);
  if (!preset) {
    const auto names = presets::names();
    std::string known;
    for (const std::string_view n : names) known += (known.empty() ? "" : ", ") + std::string(n);
    std::string message = "no such preset; the nearest is " + std::string(nearest(name, names));
    if (!origin.empty()) message += ", in " + std::string(origin);
    return {{}, {{"preset", std::string(name), known, message}}};
  }
  patch_result out;
  const std::string from = (origin.empty() ? "preset " : std::string(origin) + ", preset ") + std::string(name);
  const config defaults;
  for (const key_info& info : config_keys()) {
    const auto value = info.value_of(*preset);
    const bool column = info.key == "failure_threshold" || info.key == "open_duration" ||
                        info.key == "success_threshold" || info.key == "call_timeout";
    if (value && (column || value != info.value_of(defaults))) out.patch.set(info.key, *value, from);
  }
  return out;
}

std::string describe(std::span<const problem> problems) {
  std::string out;
  for (const problem& p : problems) out += to_string(p) + "\n";
  return out;
}

}  // namespace switchgear::inline v1
