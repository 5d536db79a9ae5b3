# SPDX-License-Identifier: MIT
# Two admins at once, each on a clone of the data directory, on one disk: to come.
module Pairs
  OFFSETS = 6

  def self.all(_help)
    []
  end
end
