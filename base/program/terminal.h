// What is asked of a person at the terminal and must not be seen.
//
// One thread asks at a time; signals may come to any thread meanwhile.
#pragma once

#include <string>

#include "base/crypto/secret.h"

namespace waymark {

// Whether a person can be asked: both input and error output are a terminal.
bool IsInteractive();

// Shows the prompt on the error output and returns the line that is typed, which the terminal does
// not show; empty at the end of input. A signal that ends the program (Ctrl-C) gives the terminal
// its echo back first. Call it only if IsInteractive.
SecretBytes AskHidden(const std::string& prompt);

}  // namespace waymark
