def as_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]
