#include "absl/strings/str_join.h"
#include "base/status/status.h"
#include "client/cli/commands.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct LocalOptions {
  std::string delivery;
  std::string item;
  std::string connector;
  bool all = false;
  bool there = false;
  bool not_there = false;
};

const Sort kDeliveries{.what = "delivery", .lister = "waymark local list --all"};
const Sort kItems{.what = "item", .lister = "waymark local items"};

absl::StatusOr<v1::ListDeliveriesResponse> Deliveries(Shell& shell, bool all) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  v1::ListDeliveriesRequest request;
  request.set_all(all);
  return node->Call(&Api::ListDeliveries, request);
}

absl::StatusOr<std::string> FindDelivery(Shell& shell, const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const auto listed, Deliveries(shell, true));
  std::vector<Named> choices;
  for (const v1::LocalDelivery& delivery : listed.deliveries()) {
    choices.push_back({.id = delivery.delivery_id(), .name = delivery.connector()});
  }
  return Choose(kDeliveries, wanted, choices);
}

absl::StatusOr<std::string> FindItem(Shell& shell, const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto listed,
                   node->Call(&Api::ListRefusedItems, v1::ListRefusedItemsRequest()));
  std::vector<Named> choices;
  for (const v1::LocalItem& item : listed.items()) {
    choices.push_back({.id = item.item_id(), .name = item.connector()});
  }
  return Choose(kItems, wanted, choices);
}

// Why it is not done, and when it is tried again.
std::string Trouble(const View& view, const v1::LocalDelivery& delivery) {
  std::vector<std::string> parts;
  if (!delivery.detail().empty()) {
    parts.push_back(delivery.detail());
  } else if (delivery.reason() != v1::REASON_UNSPECIFIED) {
    parts.emplace_back(ReasonName(delivery.reason()));
  }
  if (delivery.outdated()) parts.emplace_back("the referral has changed since");
  if (delivery.attempts() > 0 && delivery.has_next_attempt()) {
    parts.push_back("again at " + view.Time(delivery.next_attempt()));
  }
  return parts.empty() ? "-" : absl::StrJoin(parts, "; ");
}

absl::Status List(Shell& shell, const LocalOptions& options) {
  ASSIGN_OR_RETURN(const auto listed, Deliveries(shell, options.all));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  const View& view = shell.view();
  Table table({"ID", "SYSTEM", "REFERRAL", "WHAT", "STATE", "TRIES", "SINCE", "WHY"});
  for (const v1::LocalDelivery& delivery : listed.deliveries()) {
    table.Add({ShortId(delivery.delivery_id()), delivery.connector(),
               ShortId(delivery.referral_id()),
               view.Label(*v1::LocalDeliveryTask_descriptor(), delivery.task()),
               view.Label(*v1::LocalDeliveryState_descriptor(), delivery.state()),
               std::to_string(delivery.attempts()), view.Time(delivery.changed_at()),
               Trouble(view, delivery)});
  }
  shell.out() << table.ToString();
  for (const v1::LocalDelivery& delivery : listed.deliveries()) {
    if (delivery.cure().empty()) continue;
    shell.out() << "\n"
                << ShortId(delivery.delivery_id()) << ", key " << delivery.key() << "\n  "
                << delivery.cure() << "\n";
  }
  return absl::OkStatus();
}

absl::Status Replay(Shell& shell, const LocalOptions& options) {
  if (options.delivery.empty() != options.all) {
    return InvalidField("name one delivery, or give --all");
  }
  v1::ReplayDeliveryRequest request;
  request.set_connector(options.connector);
  if (!options.all) {
    ASSIGN_OR_RETURN(*request.mutable_delivery_id(), FindDelivery(shell, options.delivery));
  }
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto done, node->Call(&Api::ReplayDelivery, request));
  if (shell.PrintJson(done)) return absl::OkStatus();
  if (done.replayed() == 0) {
    shell.out() << "there is nothing to try again\n";
  } else {
    shell.out() << (done.replayed() == 1 ? "1 delivery is"
                                         : std::to_string(done.replayed()) + " deliveries are")
                << " tried again now; 'waymark local list' shows what comes of it\n";
  }
  return absl::OkStatus();
}

absl::Status Resolve(Shell& shell, const LocalOptions& options) {
  if (options.there == options.not_there) {
    return InvalidField("say what you found: --there or --not-there");
  }
  v1::ResolveDeliveryRequest request;
  request.set_sighting(options.there ? v1::LOCAL_SIGHTING_THERE : v1::LOCAL_SIGHTING_NOT_THERE);
  ASSIGN_OR_RETURN(*request.mutable_delivery_id(), FindDelivery(shell, options.delivery));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::ResolveDelivery, request).status());
  shell.PrintDone(options.there ? "noted: the record is there" : "noted: the record is not there");
  return absl::OkStatus();
}

absl::Status ListItems(Shell& shell) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto listed,
                   node->Call(&Api::ListRefusedItems, v1::ListRefusedItemsRequest()));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  const View& view = shell.view();
  Table table({"ITEM", "SYSTEM", "ABOUT", "REFERRAL", "TRIED"});
  for (const v1::LocalItem& item : listed.items()) {
    table.Add({ShortId(item.item_id()), item.connector(), item.capacity() ? "room" : "a referral",
               item.referral_id().empty() ? "-" : ShortId(item.referral_id()),
               view.Time(item.tried_at())});
  }
  shell.out() << table.ToString();
  for (const v1::LocalItem& item : listed.items()) {
    shell.out() << "\n" << ShortId(item.item_id()) << "\n";
    for (const v1::LocalItemFinding& finding : item.findings()) {
      shell.out() << "  ! " << ReasonName(finding.reason()) << ": "
                  << (finding.field().empty() ? "" : finding.field() + " ") << finding.text()
                  << "\n";
    }
    if (!item.text().empty()) shell.out() << "  " << item.text() << "\n";
  }
  return absl::OkStatus();
}

absl::Status RetryItem(Shell& shell, const LocalOptions& options) {
  v1::RetryRefusedItemRequest request;
  ASSIGN_OR_RETURN(*request.mutable_item_id(), FindItem(shell, options.item));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::RetryRefusedItem, request).status());
  shell.PrintDone("acted on");
  return absl::OkStatus();
}

absl::Status DropItem(Shell& shell, const LocalOptions& options) {
  v1::DropRefusedItemRequest request;
  ASSIGN_OR_RETURN(*request.mutable_item_id(), FindItem(shell, options.item));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::DropRefusedItem, request).status());
  shell.PrintDone("dropped");
  return absl::OkStatus();
}

void AddDeliveries(CLI::App& group, Shell& shell, LocalOptions& options) {
  CLI::App* list =
      shell.Add(group, "list",
                "Shows what is on its way into the local systems, and what to do about it.\nWhat "
                "needs you comes first.",
                "waymark local list", [&] { return List(shell, options); });
  list->add_flag("--all", options.all, "Also what is done");

  CLI::App* replay = shell.Add(
      group, "replay",
      "Tries a delivery again at once, or all that were given up.\nAll of them: "
      "administrators only.",
      "waymark local replay --all --connector register", [&] { return Replay(shell, options); });
  replay->add_option("ID", options.delivery, "Digits of the delivery's id");
  CLI::Option* all = replay->add_flag("--all", options.all, "All that were given up");
  replay->add_option("--connector", options.connector, "Only those of this connector")->needs(all);

  CLI::App* resolve = shell.Add(
      group, "resolve",
      "Says what you found in the local system, where the node cannot know.\nA record "
      "that is to be written and is not there is written then.",
      "waymark local resolve 9ab1c2 --not-there", [&] { return Resolve(shell, options); });
  resolve->add_option("ID", options.delivery, "Digits of the delivery's id")->required();
  resolve->add_flag("--there", options.there, "The record is there");
  resolve->add_flag("--not-there", options.not_there,
                    "The record is not there, or you have erased it by hand");
}

void AddItems(CLI::App& group, Shell& shell, LocalOptions& options) {
  shell.Add(group, "items",
            "Shows what local systems reported and the node could not act on, and what speaks "
            "against it.",
            "waymark local items", [&] { return ListItems(shell); });
  CLI::App* retry =
      shell.Add(group, "retry", "Tries such an item again, once its cause is mended.",
                "waymark local retry 4f06aa", [&] { return RetryItem(shell, options); });
  retry->add_option("ITEM", options.item, "Digits of the item's id")->required();
  CLI::App* drop =
      shell.Add(group, "drop", "Deletes such an item, once you have done by hand what it says.",
                "waymark local drop 4f06aa", [&] { return DropItem(shell, options); });
  drop->add_option("ITEM", options.item, "Digits of the item's id")->required();
}

}  // namespace

void AddLocalCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<LocalOptions>();
  CLI::App* group = shell.AddGroup(
      app, "local", "See what the systems in which you work got and said, and mend what failed");
  AddDeliveries(*group, shell, options);
  AddItems(*group, shell, options);
}

}  // namespace waymark::node
