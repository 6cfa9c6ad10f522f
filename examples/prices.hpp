// SPDX-License-Identifier: Apache-2.0
//
// The client that docs/tutorial.md writes, for the examples 41 and 42.
//
// [prices]
#pragma once

#include <switchgear/circuit_breaker.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct no_such_article : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Asks for prices. The service is a folder with a file for each article; without the folder it is down.
class price_client {
 public:
  price_client(std::filesystem::path folder, sg::circuit_breaker& circuit) : folder_(std::move(folder)), circuit_(circuit) {}

  /// What says nothing about the service: it answered.
  static sg::classifier rules() { return sg::classifier{}.ignore<no_such_article>(); }

  std::string price_of(const std::string& article) {
    return circuit_.call([&] { return ask(article); });
  }

 private:
  std::string ask(const std::string& article) const {  // knows of no circuit, throws what goes wrong
    if (!std::filesystem::is_directory(folder_)) throw std::runtime_error("the service is down");
    std::ifstream file(folder_ / article);
    std::string price;
    if (!std::getline(file, price)) throw no_such_article(article);
    return price;
  }

  std::filesystem::path folder_;
  sg::circuit_breaker& circuit_;
};
// [/prices]
