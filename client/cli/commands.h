// The commands of `waymark`, group by group. Each function adds its commands to `app`; what they
// do is in the file of the same name.
#pragma once

#include "client/cli/shell.h"

namespace waymark::node {

// network, registry: the registry operator.
void AddRegistryCommands(CLI::App& app, Shell& shell);
// login, logout, status, staff: the node itself.
void AddStaffCommands(CLI::App& app, Shell& shell);
// profile, service, capacity set, directory, key.
void AddDirectoryCommands(CLI::App& app, Shell& shell);
// coverage.
void AddCoverageCommand(CLI::App& app, Shell& shell);
// case.
void AddCaseCommands(CLI::App& app, Shell& shell);
// need, match, capacity ask, capacity answers; after AddDirectoryCommands.
void AddNeedCommands(CLI::App& app, Shell& shell);
// consent.
void AddConsentCommands(CLI::App& app, Shell& shell);
// preview, inquire, accept, disclose, withdraw, disclosures.
void AddOriginCommands(CLI::App& app, Shell& shell);
// offer, waitlist, decline, clarify, schedule, start, progress, close, cancel.
void AddProviderCommands(CLI::App& app, Shell& shell);
// inbox, sent, overdue, show.
void AddReferralCommands(CLI::App& app, Shell& shell);
// directory import, directory export; after AddDirectoryCommands.
void AddListingCommands(CLI::App& app, Shell& shell);
// local.
void AddLocalCommands(CLI::App& app, Shell& shell);
// map: needs no node.
void AddMapCommands(CLI::App& app, Shell& shell);
// doctor: looks at this machine too.
void AddDoctorCommand(CLI::App& app, Shell& shell);
// completion: reads the other commands, hence last.
void AddCompletionCommand(CLI::App& app, Shell& shell);

}  // namespace waymark::node
