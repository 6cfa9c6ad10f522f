// SPDX-License-Identifier: Apache-2.0
//
// The last program of docs/tutorial.md: asks for the article of each line that it reads, and shows its circuit on a page.
//
// [program]
#include "prices.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/registry.hpp>

#include <iostream>

int main(int argc, char** argv) {
  sg::registry circuits;
  const auto circuit = circuits.get(
      "prices", {.failure_threshold = 3, .open_duration = 10s, .success_threshold = 1}, price_client::rules());
  price_client client{"shop", *circuit};

  sg::dashboard page{circuits, {.listen = argc > 1 ? argv[1] : "127.0.0.1:0"}};  // port 0: any that is free
  std::cout << page.url() << "\n";

  for (std::string article; std::getline(std::cin, article);) {
    try {
      std::cout << client.price_of(article) << "\n";
    } catch (const sg::circuit_open_error& e) {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(e.retry_after().value_or(0s));
      std::cout << "not asked, again in " << sg::format_duration(wait) << "\n";
    } catch (const no_such_article&) {
      std::cout << "there is no such article\n";
    } catch (const std::exception& e) {
      std::cout << e.what() << "\n";
    }
  }
}
// [/program]
