#pragma once

#include "petlab/base/error.hpp"

namespace petlab::sdk {

using base::Error;
using base::ErrorKind;
using base::to_string;

}  // namespace petlab::sdk
