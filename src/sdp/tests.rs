//! Behaviour of descriptions, offers and answers.
