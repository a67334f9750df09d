//! Tests of the filter, against a schema and a table of fields of their own: the real ones may grow without any text
//! here changing.

mod corpus;
mod hostile;
mod meaning;
mod same;
mod world;
