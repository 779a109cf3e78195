// Starts a program with nothing of the node's about it: no shell, the caller's environment alone,
// two descriptors, and no signal blocked or ignored.
//
// Its standard error goes nowhere: it may hold values. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace waymark::node {

struct ChildProgram {
  // The program's path, then its arguments.
  std::vector<std::string> command;
  // As NAME=value.
  std::vector<std::string> environment;
  // What its standard input and output are; they stay the caller's to close.
  int input = -1;
  int output = -1;
  // Where it works; empty for the node's own folder, from which a path in `command` counts, too.
  std::string folder;
  // Whether it leads a process group of its own, which ends with kill(-pid).
  bool own_group = false;
};

struct Spawned {
  // The child, to be reaped by the caller; 0 when there is none.
  pid_t pid = 0;
  // Why there is none, as errno has it; 0 when there is one.
  int error = 0;
};

Spawned Spawn(ChildProgram program);

// Waits for the end of a child; returns its status as waitpid does. Once.
int Reap(pid_t pid);

}  // namespace waymark::node
