// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace exposition {

using labels = std::map<std::string, std::string>;

struct family {
  std::string help, type;
  std::map<std::pair<std::string, labels>, double> samples;
};

/// The text format of Prometheus, version 0.0.4, read strictly: every family once, with its help and type before its samples;
/// no sample twice; counters, and only they, end in _total. Throws std::runtime_error with the line that is wrong.
class page {
 public:
  explicit page(std::string_view text) {
    if (text.empty() || text.back() != '\n') throw std::runtime_error("the last line has no end");
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line_ = text.substr(0, end);
      text.remove_prefix(end + 1);
      read_line();
    }
    for (const auto& [name, f] : families_) {
      line_ = name;
      expect(!f.samples.empty(), "a family without samples");
      expect(name.ends_with("_total") == (f.type == "counter"), "a name that does not suit its type");
    }
  }

  [[nodiscard]] const std::map<std::string, family>& families() const { return families_; }

  /// Nothing when there is no such sample.
  [[nodiscard]] std::optional<double> operator()(const std::string& name, const labels& of = {}) const {
    const auto f = families_.find(name);
    if (f == families_.end()) return std::nullopt;
    const auto sample = f->second.samples.find({name, of});
    return sample == f->second.samples.end() ? std::nullopt : std::optional(sample->second);
  }

 private:
  void expect(bool good, const std::string& wrong) const {
    if (!good) throw std::runtime_error(wrong + ": " + std::string(line_));
  }

  void read_line() {
    static const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_][a-zA-Z0-9_]*) (.+))");
    std::match_results<std::string_view::const_iterator> m;
    if (!line_.starts_with('#')) return read_sample();
    expect(std::regex_match(line_.begin(), line_.end(), m, comment), "not a comment of the format");
    const std::string name = m[2];
    if (m[1] == "HELP") {
      expect(!families_.contains(name), "a family twice");
      current_ = name;
      families_[name].help = m[3];
      expect(families_[name].help.find('\\') == std::string::npos, "an escape in a help text");
    } else {
      expect(current_ == name && families_[name].type.empty(), "a type without its help");
      expect(m[3] == "counter" || m[3] == "gauge", "an unknown type");
      families_[name].type = m[3];
    }
  }

  void read_sample() {
    std::size_t at = line_.find_first_of("{ ");
    expect(at != std::string_view::npos && line_.substr(0, at) == current_, "a sample outside its family");
    labels of;
    if (line_[at] == '{') at = read_labels(at + 1, of);
    expect(at < line_.size() && line_[at] == ' ', "no space before the value");
    std::size_t used = 0;
    const std::string text(line_.substr(at + 1));
    const double value = std::stod(text, &used);
    expect(used == text.size(), "something after the value");
    expect(families_[current_].samples.emplace(std::pair(current_, of), value).second, "a sample twice");
  }

  /// Where the labels end.
  std::size_t read_labels(std::size_t at, labels& out) const {
    static const std::regex good_name("[a-zA-Z_][a-zA-Z0-9_]*");
    while (true) {
      const std::size_t equals = line_.find("=\"", at);
      expect(equals != std::string_view::npos, "a label without a value");
      const std::string name(line_.substr(at, equals - at));
      expect(std::regex_match(name, good_name), "a bad name of a label");
      std::string value;
      for (at = equals + 2; at < line_.size() && line_[at] != '"'; ++at) {
        if (line_[at] == '\\') {
          ++at;
          expect(at < line_.size() && std::string_view("\\\"n").find(line_[at]) != std::string_view::npos, "a bad escape");
          value += line_[at] == 'n' ? '\n' : line_[at];
        } else {
          value += line_[at];
        }
      }
      expect(out.emplace(name, value).second, "a label twice");
      ++at;
      expect(at < line_.size() && (line_[at] == ',' || line_[at] == '}'), "labels that do not end");
      if (line_[at++] == '}') return at;
    }
  }

  std::string_view line_;
  std::string current_;
  std::map<std::string, family> families_;
};

}  // namespace exposition
