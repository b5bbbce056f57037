#include "petlab/pretrain/synonyms.hpp"

#include <array>
#include <map>
#include <vector>

namespace petlab::pretrain {

namespace {

using Group = std::vector<std::string_view>;

/// Names that icon designers use for one thing; the first of a group is the canonical one.
const std::vector<Group>& groups() {
  static const std::vector<Group> all{
      {"airplane", "plane", "aeroplane"},
      {"arrow down", "down arrow", "down"},
      {"arrow left", "left arrow", "left"},
      {"arrow right", "right arrow", "right"},
      {"arrow up", "up arrow", "up"},
      {"bicycle", "bike"},
      {"bar chart", "chart bar", "barchart", "graph bar"},
      {"check", "checkmark", "check mark", "tick"},
      {"chat", "chats", "message", "comment"},
      {"close", "cross", "x", "times"},
      {"cloud download", "download cloud"},
      {"cloud upload", "upload cloud"},
      {"credit card", "creditcard"},
      {"drop", "droplet", "water drop"},
      {"envelope", "mail", "email"},
      {"eyeglasses", "glasses", "spectacles"},
      {"factory", "industry"},
      {"fire", "flame"},
      {"floppy disk", "floppy", "save", "diskette"},
      {"gear", "cog", "settings", "setting"},
      {"ghost", "phantom"},
      {"gift", "present"},
      {"globe", "world"},
      {"headphones", "headphone"},
      {"heart", "hearts"},
      {"home", "house"},
      {"hourglass", "sandglass"},
      {"laptop", "notebook computer"},
      {"light bulb", "lightbulb", "bulb"},
      {"lightning", "bolt", "thunderbolt"},
      {"line chart", "chart line", "linechart"},
      {"magnifying glass", "search", "magnifier", "magnify"},
      {"microphone", "mic"},
      {"monitor", "desktop", "display"},
      {"moon", "crescent moon"},
      {"mortar board", "graduation cap", "graduation"},
      {"motorcycle", "motorbike"},
      {"mug", "coffee mug"},
      {"paper clip", "paperclip", "attachment", "clip"},
      {"pencil", "edit"},
      {"person", "user"},
      {"people", "users", "persons"},
      {"picture", "image", "photo"},
      {"pie chart", "chart pie", "piechart"},
      {"push pin", "pushpin", "pin", "thumbtack"},
      {"puzzle", "puzzle piece", "jigsaw"},
      {"rain", "rainy"},
      {"sailboat", "sail boat", "sailing boat"},
      {"shirt", "t shirt", "tshirt"},
      {"shopping cart", "cart", "trolley"},
      {"smartphone", "mobile", "mobile phone", "cellphone", "cell phone", "device mobile"},
      {"snowflake", "snow flake"},
      {"speaker", "loudspeaker"},
      {"suitcase", "luggage"},
      {"telephone", "phone", "call"},
      {"television", "tv"},
      {"thumbs up", "thumb up", "like"},
      {"thumbs down", "thumb down", "dislike"},
      {"trash can", "trash", "bin", "trashcan", "garbage", "delete", "garbage can", "rubbish bin"},
      {"truck", "lorry"},
      {"wrench", "spanner"},
  };
  return all;
}

const std::map<std::string_view, const Group*>& index() {
  static const std::map<std::string_view, const Group*> names = [] {
    std::map<std::string_view, const Group*> result;
    for (const Group& group : groups())
      for (const std::string_view name : group)
        result.emplace(name, &group);
    return result;
  }();
  return names;
}

}  // namespace

std::string canonical_subject(const std::string& subject) {
  const auto found = index().find(subject);
  return found == index().end() ? subject : std::string(found->second->front());
}

std::span<const std::string_view> synonyms_of(std::string_view subject) {
  const auto found = index().find(subject);
  if (found == index().end()) return {};
  return *found->second;
}

}  // namespace petlab::pretrain
