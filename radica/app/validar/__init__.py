"""The checker over files that nobody keeps: folders by several processes, and what a person dropped."""
