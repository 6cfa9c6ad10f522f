// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"
#include <switchgear/config/text_file.hpp>
#include <switchgear/scenario/conform.hpp>
#include <switchgear/scenario/run.hpp>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <system_error>
#include <vector>

namespace switchgear::inline v1::scenario {
namespace {

namespace fs = std::filesystem;

class conformance {
 public:
  conformance(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}

  void path(const std::string& given) {
    std::error_code error;
    const fs::file_status status = fs::status(given, error);
    if (!fs::exists(status)) {
      refuse(given, "0", "no such file or folder");
    } else if (fs::is_directory(status)) {
      folder(given);
    } else {
      file(given);
    }
  }

  int finish() {
    if (files_ == 0 && !refused_) {
      err_ << "no scenario found: give files, or folders that hold *.json files\n";
      refused_ = true;
    }
    out_ << passed_ << " passed, " << failed_ << " failed\n";
    out_.flush();
    err_.flush();
    if (refused_) return 2;
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void refuse(const std::string& path, std::string_view step, std::string_view why) {
    err_ << printable(path) << ": step " << step << ": " << printable(why) << "\n";
    refused_ = true;
  }

  void folder(const fs::path& where) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator it(where, error), end; !error && it != end; it.increment(error)) entries.push_back(*it);
    if (error) refuse(where.string(), "0", "the folder cannot be read: " + error.message());
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.path().filename() < b.path().filename(); });
    for (const fs::directory_entry& entry : entries) {
      std::error_code ignored;
      if (entry.is_directory(ignored)) {
        if (!entry.is_symlink(ignored)) folder(entry.path());  // a link could lead round in circles
      } else if (entry.path().extension() == ".json") {
        file(entry.path().string());
      }
    }
  }

  void file(const std::string& where) {
    ++files_;
    const text_file read = read_text_file(where);
    if (!read.text) {
      refuse(where, "0", read.error ? read.error->message : "cannot be read");
      return;
    }
    const outcome became = run_text(*read.text);
    switch (became.result) {
      case result::passed:
        ++passed_;
        out_ << "ok " << printable(became.name) << "\n";
        break;
      case result::failed:
        ++failed_;
        out_ << "FAILED " << printable(became.name) << ": step " << became.step << ": " << became.text << "\n";
        break;
      case result::not_a_scenario:
        refuse(where, became.step, became.text);
        break;
    }
  }

  std::ostream& out_;
  std::ostream& err_;
  std::size_t files_ = 0;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  bool refused_ = false;
};

}  // namespace

int run_conform(std::span<const std::string> paths, std::ostream& out, std::ostream& err) {
  conformance all(out, err);
  for (const std::string& path : paths) all.path(path);
  return all.finish();
}

}  // namespace switchgear::inline v1::scenario
