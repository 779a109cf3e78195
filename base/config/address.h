// Addresses as configuration, network files and command lines give them.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace waymark {

// What an address looks like, for errors.
inline constexpr std::string_view kAddressForm = "an address such as 127.0.0.1:7443 or [::]:7443";
inline constexpr std::string_view kPeerAddressForm = "an address such as hub.example:7443";

// Returns the port of "host:port", 0 to 65535, whose IPv6 host stands in brackets; nullopt if
// `text` is no such address.
std::optional<uint16_t> PortOf(std::string_view text);

// Whether `text` is an address that one can connect to: its port is not 0.
inline bool IsPeerAddress(std::string_view text) { return PortOf(text).value_or(0) != 0; }

}  // namespace waymark
