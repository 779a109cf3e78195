// Whether what is sent to a host stays on this machine.
#pragma once

#include <string>

namespace waymark::node {

// "localhost", an address in 127.0.0.0/8, or ::1, with or without brackets. No other name counts,
// whatever it resolves to. Pure.
bool IsLoopback(const std::string& host);

}  // namespace waymark::node
