#pragma once

#include "petlab/study/protocol.hpp"

#include <vector>

namespace petlab::study {

/// Domain generalisation: the studies that a study with leave-out in [dataset] stands for. For a
/// domain that is named one study on the other domains, for "each" one a domain in the order of the
/// data set, called NAME/without-DOMAIN; the protocol itself where nothing is left out. Each is an
/// ordinary study whose runs are tested on the domain left out when they are done (follow_up.hpp).
/// Reads the data set. Throws Error(config) for a domain that the study does not have, and where
/// none would be left to train on.
[[nodiscard]] std::vector<Protocol> left_out_studies(const Protocol& protocol);

}  // namespace petlab::study
