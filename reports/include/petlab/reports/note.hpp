#pragma once

#include <string>
#include <utility>

namespace petlab::reports {

/// How much a note matters to who reads the table.
enum class NoteGrade {
  information,  ///< how to read the numbers
  caution,      ///< what limits a comparison of rows
  fault         ///< what makes numbers wrong, or not comparable
};

/// A sentence about what a reader must know before comparing rows.
struct Note : std::string {
  Note(std::string text, NoteGrade its_grade = NoteGrade::caution)
      : std::string(std::move(text)), grade(its_grade) {}

  NoteGrade grade;
};

}  // namespace petlab::reports
