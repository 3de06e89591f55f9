"""What every page is made with: rendering, forms, answers, sessions, words. Knows no noun."""
